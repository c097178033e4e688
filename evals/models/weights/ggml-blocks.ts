/**
 * @file ggml's blocks of 32 numbers, with the block's float16 scale d and minimum m: Q8_0 d·q, Q4_0 d·(q − 8), Q4_1 d·q +
 * m, Q5_0 d·(q − 16), Q5_1 d·q + m, IQ4_NL d·table[q].
 */
import { halfAt, signed } from './float16.ts'

export function decodeQ8_0(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; at < out.length; block += 34, at += 32) {
    const d = halfAt(bytes, block)
    for (let i = 0; i < 32; i++) out[at + i] = d * signed(bytes[block + 2 + i]!)
  }
}

/** Low nibbles hold the first half of the block, high nibbles the second. */
export function decodeQ4_0(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; at < out.length; block += 18, at += 32) {
    const d = halfAt(bytes, block)
    for (let i = 0; i < 16; i++) {
      const pair = bytes[block + 2 + i]!
      out[at + i] = d * ((pair & 15) - 8)
      out[at + 16 + i] = d * ((pair >> 4) - 8)
    }
  }
}

export function decodeQ4_1(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; at < out.length; block += 20, at += 32) {
    const d = halfAt(bytes, block)
    const m = halfAt(bytes, block + 2)
    for (let i = 0; i < 16; i++) {
      const pair = bytes[block + 4 + i]!
      out[at + i] = d * (pair & 15) + m
      out[at + 16 + i] = d * (pair >> 4) + m
    }
  }
}

/** The fifth bits are stored together, bit i for element i. */
const fifthBit = (bytes: Uint8Array, at: number, i: number): number =>
  ((bytes[at + (i >> 3)]! >> (i & 7)) & 1) << 4

export function decodeQ5_0(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; at < out.length; block += 22, at += 32) {
    const d = halfAt(bytes, block)
    for (let i = 0; i < 16; i++) {
      const pair = bytes[block + 6 + i]!
      out[at + i] = d * (((pair & 15) | fifthBit(bytes, block + 2, i)) - 16)
      out[at + 16 + i] = d * (((pair >> 4) | fifthBit(bytes, block + 2, i + 16)) - 16)
    }
  }
}

export function decodeQ5_1(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; at < out.length; block += 24, at += 32) {
    const d = halfAt(bytes, block)
    const m = halfAt(bytes, block + 2)
    for (let i = 0; i < 16; i++) {
      const pair = bytes[block + 8 + i]!
      out[at + i] = d * ((pair & 15) | fifthBit(bytes, block + 4, i)) + m
      out[at + 16 + i] = d * ((pair >> 4) | fifthBit(bytes, block + 4, i + 16)) + m
    }
  }
}

/** The sixteen values of IQ4, unevenly spaced. */
export const IQ4_VALUES = Int8Array.of(
  ...[-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
)

export function decodeIQ4_NL(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; at < out.length; block += 18, at += 32) {
    const d = halfAt(bytes, block)
    for (let i = 0; i < 16; i++) {
      const pair = bytes[block + 2 + i]!
      out[at + i] = d * IQ4_VALUES[pair & 15]!
      out[at + 16 + i] = d * IQ4_VALUES[pair >> 4]!
    }
  }
}
