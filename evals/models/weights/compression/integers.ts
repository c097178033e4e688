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

/** A format of GGUF: blocks of 32 numbers of a row, each with a float16 scale. */
function inBlocks(bits: number, name: string, decode: Compression['roundTrip']): Compression {
  const title = name.toUpperCase()
  return {
    name,
    summary: `GGUF’s ${title}: ${bits} bits, a float16 scale for ${BLOCK} numbers`,
    source: `ggml, quantize_row_${name}_ref`,
    bits: () => bits + 16 / BLOCK,
    roundTrip(weight, rows) {
      const columns = weight.length / rows
      if (columns % BLOCK !== 0) {
        throw new TouchstoneError('compress.blocks', { name, columns, block: BLOCK })
      }
      return decode(weight, rows)
    },
  }
}

export const q8_0 = inBlocks(8, 'q8_0', (weight) => {
  const out = new Float32Array(weight.length)
  STORAGE_FORMATS.Q8_0.decode(encode('weight', weight, 'Q8_0'), out)
  return out
})

/** d = (the number of largest magnitude) / −8 in float16 for 32 numbers; code = ⌊w/d + 8.5⌋ up to 15; w ≈ d·(code − 8). */
export const q4_0 = inBlocks(4, 'q4_0', (weight) => {
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
})
