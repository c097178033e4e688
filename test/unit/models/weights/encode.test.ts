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

test('Q4_0 and Q4_1 are off by a step of their block at most, and keep what they already hold', () => {
  const inBlocks = values.map((value, i) => value * 2 ** (Math.floor(i / 32) % 5))
  for (const [storage, steps] of [
    ['Q4_0', 8],
    ['Q4_1', 15],
  ] as const) {
    const out = back(inBlocks, storage)
    for (let start = 0; start < inBlocks.length; start += 32) {
      const block = inBlocks.subarray(start, start + 32)
      const most = Math.max(...block.map(Math.abs))
      // A negative largest number leaves Q4_0 seven steps above; float16 adds its own error to each.
      const step = (storage === 'Q4_0' ? most : Math.max(...block) - Math.min(...block)) / steps
      for (let i = start; i < start + 32; i++)
        expect(Math.abs(out[i]! - inBlocks[i]!)).toBeLessThanOrEqual(
          step + most * 2 ** -9 + 2 ** -20,
        )
    }
    expect(back(out, storage)).toEqual(out)
    expect([...back(new Float32Array(32), storage)].map(Math.abs)).toEqual(new Array(32).fill(0))
  }
})

test('Q4_1 by hand: 0, 1, … 15 twice, low nibbles first', () => {
  const block = Float32Array.from({ length: 32 }, (_, i) => i % 16)
  const bytes = encode('w', block, 'Q4_1')
  expect([...bytes.subarray(0, 4)]).toEqual([0x00, 0x3c, 0x00, 0x00])
  expect([...bytes.subarray(4)]).toEqual(Array.from({ length: 16 }, (_, i) => i | (i << 4)))
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
