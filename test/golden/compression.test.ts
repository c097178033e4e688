/** @file Compressed weights against bitsandbytes and gguf (make-compression.py). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { q4_0, q8_0 } from '../../evals/models/weights/compression/integers.ts'
import { codebookOf, withExactScales } from '../../evals/models/weights/compression/normal-float.ts'

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, 'fixtures', 'compression.json'), 'utf8'),
) as Record<'codebook' | 'weight' | 'nf4' | 'q8_0' | 'q4_0', number[]>
const weight = Float32Array.from(fixture.weight)

test('the codebook of NF4 is bitsandbytes’', () => {
  codebookOf(4).forEach((x, i) => expect(Math.abs(x - fixture.codebook[i]!)).toBeLessThan(2e-7))
})

test('NF4 with exact scales gives bitsandbytes’ numbers', () => {
  const found = withExactScales(weight, 4)
  found.forEach((x, i) => expect(Math.abs(x - fixture.nf4[i]!)).toBeLessThan(1e-6))
})

test.each([q8_0, q4_0])('$name gives gguf’s numbers to the bit', ({ name, roundTrip }) => {
  const found = roundTrip(weight, 6)
  expect([...found]).toEqual(fixture[name as 'q8_0' | 'q4_0'])
})
