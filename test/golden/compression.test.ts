/** @file Compressed weights against bitsandbytes and gguf (make-compression.py). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { normalCodebook } from '../../evals/statistics/normal-codebook.ts'
import { q4_0, q8_0 } from '../../evals/models/weights/compression/integers.ts'
import { withExactScales } from '../../evals/models/weights/compression/normal-float.ts'

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures', 'compression.json'), 'utf8'),
) as Record<'codebook' | 'weight' | 'nf4' | 'q8_0' | 'q4_0', number[]>
const weight = Float32Array.from(fixture.weight)

test('the codebook of NF4 is bitsandbytes’ to the bit', () => {
  expect([...normalCodebook(4)]).toEqual(fixture.codebook)
})

test('NF4 with exact scales gives bitsandbytes’ numbers to the bit', () => {
  expect([...withExactScales(weight, 4)]).toEqual(fixture.nf4)
})

test.each([q8_0, q4_0])('$name gives gguf’s numbers to the bit', ({ name, roundTrip }) => {
  const found = roundTrip(weight, 6)
  expect([...found]).toEqual(fixture[name as 'q8_0' | 'q4_0'])
})
