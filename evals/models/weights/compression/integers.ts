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

const asStored =
  (storage: 'Q8_0' | 'Q4_0') =>
  (weight: Float32Array): Float32Array => {
    const out = new Float32Array(weight.length)
    STORAGE_FORMATS[storage].decode(encode('weight', weight, storage), out)
    return out
  }

export const q8_0 = inBlocks(8, 'q8_0', asStored('Q8_0'))

export const q4_0 = inBlocks(4, 'q4_0', asStored('Q4_0'))
