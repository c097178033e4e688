/** @file Stored numbers are the nearest ones, ties to even, and what cannot be held is refused by name. */
import { describe, expect, test } from 'vitest'
import { STORAGE_FORMATS } from '../../../../evals/models/weights/dequantise.ts'
import { encode, type WrittenStorage } from '../../../../evals/models/weights/encode.ts'
import { mulberry32 } from '../../../doubles/models/tiny-checkpoint.ts'

const back = (values: Float32Array, storage: WrittenStorage): Float32Array => {
  const out = new Float32Array(values.length)
  STORAGE_FORMATS[storage].decode(Uint8Array.from(encode('w', values, storage)), out)
  return out
}
const random = mulberry32(7)
const values = Float32Array.from(
  { length: 4096 },
  () => (random() - 0.5) * 2 ** (random() * 20 - 16),
)

describe.each([
  ['F16', 11, -24],
  ['BF16', 8, -133],
] as const)('%s', (storage, bits, least) => {
  test('is off by half a step at most', () => {
    const out = back(values, storage)
    values.forEach((value, i) => {
      const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))) + 1 - bits, least)
      expect(Math.abs(out[i]! - value)).toBeLessThanOrEqual(2 ** (exponent - 1))
    })
  })

  test('a tie goes to the even neighbour, below and above', () => {
    const step = 2 ** (1 - bits)
    const ties = Float32Array.of(1 + step / 2, 1 + (3 * step) / 2, -1 - step / 2)
    expect([...back(ties, storage)]).toEqual([1, 1 + 2 * step, -1])
  })
})

test('Q8_0 is off by half a step of its block and what the float16 scale adds', () => {
  const out = back(values, 'Q8_0')
  for (let start = 0; start < values.length; start += 32) {
    const largest = Math.max(...values.subarray(start, start + 32).map(Math.abs))
    const bound = largest / 254 + largest * 2 ** -11 + 127 * 2 ** -25
    for (let i = start; i < start + 32; i++)
      expect(Math.abs(out[i]! - values[i]!)).toBeLessThanOrEqual(bound)
  }
  expect([...back(new Float32Array(32), 'Q8_0')]).toEqual(new Array(32).fill(0))
})

test.each([
  ['F16', 65520],
  ['F16', NaN],
  ['BF16', 3.4e38],
  ['Q8_0', 1e7],
  ['F32', Infinity],
] as const)('%s does not take %d', (storage, value) => {
  const block = new Float32Array(32).fill(value)
  expect(() => encode('the.weight', block, storage)).toThrow(/"the\.weight" holds/)
  expect(() => encode('w', new Float32Array(32).fill(65504), storage)).not.toThrow()
})
