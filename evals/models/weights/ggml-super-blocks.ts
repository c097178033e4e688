/**
 * @file ggml's super-blocks of 256 numbers, with float16 scale d and minimum m, and s, t those of a sub-block: Q2_K, Q4_K
 * and Q5_K d·s·q − m·t, Q3_K d·(s − 32)·(q − 4), Q6_K d·s·(q − 32), IQ4_XS d·(s − 32)·table[q].
 */
import { blocks, halfAt, IQ4_VALUES, signed } from './ggml-blocks.ts'

/** The 6-bit scale of sub-block `sub` of 16: four low bits in the first 8 bytes, two high bits in the last 4. */
function scaleOfSixteen(bytes: Uint8Array, at: number, sub: number): number {
  const low = (bytes[at + (sub & 7)]! >> (sub < 8 ? 0 : 4)) & 15
  const high = (bytes[at + 8 + (sub & 3)]! >> ((sub >> 2) * 2)) & 3
  return (low | (high << 4)) - 32
}

/** The 6-bit scale and minimum of sub-block `sub` of 8, packed into 12 bytes. */
function scaleAndMinimum(bytes: Uint8Array, at: number, sub: number): readonly [number, number] {
  const low = bytes[at + sub]!
  const high = bytes[at + sub + 4]!
  if (sub < 4) return [low & 63, high & 63]
  return [(high & 15) | ((bytes[at + sub - 4]! >> 6) << 4), (high >> 4) | ((low >> 6) << 4)]
}

export const SUPER_BLOCKS = {
  /** Sixteen sub-blocks of 16, each with a 4-bit scale and minimum; two bits per number. */
  Q2_K: blocks(10, 256, 84, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 84, at += 256) {
      const d = halfAt(bytes, block + 80)
      const m = halfAt(bytes, block + 82)
      for (let i = 0; i < 256; i++) {
        const scales = bytes[block + (i >> 4)]!
        const quant = (bytes[block + 16 + (i >> 7) * 32 + (i & 31)]! >> (((i >> 5) & 3) * 2)) & 3
        out[at + i] = d * (scales & 15) * quant - m * (scales >> 4)
      }
    }
  }),
  /** Two low bits per number, and a mask of third bits; a 0 there subtracts 4. */
  Q3_K: blocks(11, 256, 110, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 110, at += 256) {
      const d = halfAt(bytes, block + 108)
      for (let i = 0; i < 256; i++) {
        const scale = d * scaleOfSixteen(bytes, block + 96, i >> 4)
        const low = (bytes[block + 32 + (i >> 7) * 32 + (i & 31)]! >> (((i >> 5) & 3) * 2)) & 3
        const high = (bytes[block + (i & 31)]! >> (i >> 5)) & 1
        out[at + i] = scale * (low - (high === 1 ? 0 : 4))
      }
    }
  }),
  /** Eight sub-blocks of 32; four bits per number. */
  Q4_K: blocks(12, 256, 144, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 144, at += 256) {
      const d = halfAt(bytes, block)
      const m = halfAt(bytes, block + 2)
      for (let sub = 0; sub < 8; sub++) {
        const [s, t] = scaleAndMinimum(bytes, block + 4, sub)
        const [scale, minimum] = [d * s, m * t]
        const quants = block + 16 + (sub >> 1) * 32
        const shift = (sub & 1) * 4
        for (let i = 0; i < 32; i++) {
          out[at + sub * 32 + i] = scale * ((bytes[quants + i]! >> shift) & 15) - minimum
        }
      }
    }
  }),
  /** As Q4_K with a fifth bit per number: byte i of 32 holds it for number i of each sub-block. */
  Q5_K: blocks(13, 256, 176, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 176, at += 256) {
      const d = halfAt(bytes, block)
      const m = halfAt(bytes, block + 2)
      for (let sub = 0; sub < 8; sub++) {
        const [s, t] = scaleAndMinimum(bytes, block + 4, sub)
        const [scale, minimum] = [d * s, m * t]
        const quants = block + 48 + (sub >> 1) * 32
        const shift = (sub & 1) * 4
        for (let i = 0; i < 32; i++) {
          const high = ((bytes[block + 16 + i]! >> sub) & 1) << 4
          out[at + sub * 32 + i] = scale * (((bytes[quants + i]! >> shift) & 15) | high) - minimum
        }
      }
    }
  }),
  /** Two halves of 128: four low bits in `ql`, two high bits in `qh`, sixteen signed scales. */
  Q6_K: blocks(14, 256, 210, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 210, at += 256) {
      const d = halfAt(bytes, block + 208)
      for (let half = 0; half < 2; half++) {
        const ql = block + half * 64
        const qh = block + 128 + half * 32
        const scales = block + 192 + half * 8
        const target = at + half * 128
        for (let i = 0; i < 128; i++) {
          const row = i >> 5
          const low = (bytes[ql + (i & 63)]! >> ((row >> 1) * 4)) & 15
          const high = (bytes[qh + (i & 31)]! >> (row * 2)) & 3
          out[target + i] = d * signed(bytes[scales + (i >> 4)]!) * ((low | (high << 4)) - 32)
        }
      }
    }
  }),
  /** Eight sub-blocks of 32, each with a 6-bit scale: four low bits in bytes, two high bits in a 16-bit word. */
  IQ4_XS: blocks(23, 256, 136, (bytes, out) => {
    for (let block = 0, at = 0; at < out.length; block += 136, at += 256) {
      const d = halfAt(bytes, block)
      const highs = bytes[block + 2]! | (bytes[block + 3]! << 8)
      for (let sub = 0; sub < 8; sub++) {
        const low = (bytes[block + 4 + (sub >> 1)]! >> ((sub & 1) * 4)) & 15
        const scale = d * ((low | (((highs >> (2 * sub)) & 3) << 4)) - 32)
        for (let i = 0; i < 16; i++) {
          const pair = bytes[block + 8 + sub * 16 + i]!
          out[at + sub * 32 + i] = scale * IQ4_VALUES[pair & 15]!
          out[at + sub * 32 + 16 + i] = scale * IQ4_VALUES[pair >> 4]!
        }
      }
    }
  }),
}
