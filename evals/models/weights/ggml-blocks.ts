/**
 * @file ggml's blocks of 32 numbers, with the block's float16 scale d and minimum m: Q8_0 d·q, Q4_0 d·(q − 8), Q4_1 d·q +
 * m, Q5_0 d·(q − 16), Q5_1 d·q + m, IQ4_NL d·table[q].
 */
import { HALVES } from '../../native/halves.ts'

export interface StorageFormat {
  /** ggml's number of the type. */
  readonly ggml: number
  readonly elementsPerBlock: number
  readonly bytesPerBlock: number
  /** `bytes` holds whole blocks and starts at a multiple of 8 in its buffer; `out` has as many elements. */
  readonly decode: (bytes: Uint8Array, out: Float32Array) => void
}

/** `decode` loops over the blocks itself: a call for each block costs up to a third of the time. */
export const blocks = (
  ggml: number,
  elementsPerBlock: number,
  bytesPerBlock: number,
  decode: StorageFormat['decode'],
): StorageFormat => ({ ggml, elementsPerBlock, bytesPerBlock, decode })

export const halfAt = (bytes: Uint8Array, at: number): number =>
  HALVES[bytes[at]! | (bytes[at + 1]! << 8)]!
export const signed = (byte: number): number => (byte << 24) >> 24

/** The fifth bits are stored together, bit i for element i. */
const fifthBit = (bytes: Uint8Array, at: number, i: number): number =>
  ((bytes[at + (i >> 3)]! >> (i & 7)) & 1) << 4

/** The sixteen values of IQ4, unevenly spaced. */
export const IQ4_VALUES = new Int8Array([
  -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
])

export const BLOCKS = {
  Q8_0: blocks(8, 32, 34, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 34, at += 32) {
      const d = halfAt(bytes, block)
      for (let i = 0; i < 32; i++) out[at + i] = d * signed(bytes[block + 2 + i]!)
    }
  }),
  /** Low nibbles hold the first half of the block, high nibbles the second. */
  Q4_0: blocks(2, 32, 18, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 18, at += 32) {
      const d = halfAt(bytes, block)
      for (let i = 0; i < 16; i++) {
        const pair = bytes[block + 2 + i]!
        out[at + i] = d * ((pair & 15) - 8)
        out[at + 16 + i] = d * ((pair >> 4) - 8)
      }
    }
  }),
  Q4_1: blocks(3, 32, 20, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 20, at += 32) {
      const d = halfAt(bytes, block)
      const m = halfAt(bytes, block + 2)
      for (let i = 0; i < 16; i++) {
        const pair = bytes[block + 4 + i]!
        out[at + i] = d * (pair & 15) + m
        out[at + 16 + i] = d * (pair >> 4) + m
      }
    }
  }),
  Q5_0: blocks(6, 32, 22, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 22, at += 32) {
      const d = halfAt(bytes, block)
      for (let i = 0; i < 16; i++) {
        const pair = bytes[block + 6 + i]!
        out[at + i] = d * (((pair & 15) | fifthBit(bytes, block + 2, i)) - 16)
        out[at + 16 + i] = d * (((pair >> 4) | fifthBit(bytes, block + 2, i + 16)) - 16)
      }
    }
  }),
  Q5_1: blocks(7, 32, 24, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 24, at += 32) {
      const d = halfAt(bytes, block)
      const m = halfAt(bytes, block + 2)
      for (let i = 0; i < 16; i++) {
        const pair = bytes[block + 8 + i]!
        out[at + i] = d * ((pair & 15) | fifthBit(bytes, block + 4, i)) + m
        out[at + 16 + i] = d * ((pair >> 4) | fifthBit(bytes, block + 4, i + 16)) + m
      }
    }
  }),
  IQ4_NL: blocks(20, 32, 18, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 18, at += 32) {
      const d = halfAt(bytes, block)
      for (let i = 0; i < 16; i++) {
        const pair = bytes[block + 2 + i]!
        out[at + i] = d * IQ4_VALUES[pair & 15]!
        out[at + 16 + i] = d * IQ4_VALUES[pair >> 4]!
      }
    }
  }),
}
