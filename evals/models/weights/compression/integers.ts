/** @file Whole numbers with a scale: int8 by rows, as `--base-precision int8` keeps a base, and GGUF’s Q8_0 and Q4_0. */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { STORAGE_FORMATS } from '../dequantise.ts'
import { encode } from '../encode.ts'
import { dequantise, quantise } from '../small-weights.ts'
import type { Compression } from './compression.ts'

export const int8: Compression = {
  name: 'int8',
  summary: 'whole numbers of 8 bits, a scale of 32 bits a row',
  source: 'max|w| / 127 a row, as --base-precision int8 keeps a base',
  bits: (numbers, rows) => 8 + (32 * rows) / numbers,
  roundTrip: (weight, rows) => dequantise(quantise(weight, rows, 'int8')),
}

const BLOCK = 32

export const q8_0: Compression = {
  name: 'q8_0',
  summary: 'GGUF’s Q8_0: 8 bits, a float16 scale for 32 numbers',
  source: 'ggml, quantize_row_q8_0_ref',
  bits: () => 8 + 16 / BLOCK,
  roundTrip(weight, rows) {
    requireBlocks(weight, rows, 'q8_0')
    const out = new Float32Array(weight.length)
    STORAGE_FORMATS.Q8_0.decode(encode('weight', weight, 'Q8_0'), out)
    return out
  },
}

/** d = (the number of largest magnitude) / −8 in float16 for 32 numbers; code = ⌊w/d + 8.5⌋ up to 15; w ≈ d·(code − 8). */
export const q4_0: Compression = {
  name: 'q4_0',
  summary: 'GGUF’s Q4_0: 4 bits, a float16 scale for 32 numbers',
  source: 'ggml, quantize_row_q4_0_ref',
  bits: () => 4 + 16 / BLOCK,
  roundTrip(weight, rows) {
    requireBlocks(weight, rows, 'q4_0')
    const out = new Float32Array(weight.length)
    for (let start = 0; start < weight.length; start += BLOCK) {
      const block = weight.subarray(start, start + BLOCK)
      const top = block.reduce((most, w) => (Math.abs(w) > Math.abs(most) ? w : most), 0)
      const step = Math.fround(top / -8)
      const inverse = step === 0 ? 0 : Math.fround(1 / step)
      const stored = Math.f16round(step)
      block.forEach((w, i) => {
        const scaled = Math.fround(Math.fround(w * inverse) + 8.5)
        out[start + i] = stored * (Math.min(15, Math.trunc(scaled)) - 8)
      })
    }
    return out
  },
}

function requireBlocks(weight: Float32Array, rows: number, name: string): void {
  const columns = weight.length / rows
  if (columns % BLOCK === 0) return
  throw new TouchstoneError('compress.blocks', { name, columns, block: BLOCK })
}
