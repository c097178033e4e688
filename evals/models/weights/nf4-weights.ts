/** @file A matrix in NF4 with nested scales, packed as a graph reads it (`graph/storage/nf4.ts`): 4.127 bits a number. */
import { NF4 } from '../../graph/storage/nf4.ts'
import {
  normalCodes,
  normalValues,
  STANDARD,
  type NestedScales,
} from './compression/normal-float.ts'

export interface Nf4Weight {
  readonly storage: 'nf4'
  /** Two codes a byte, the first in the high half. */
  readonly data: Uint8Array
  /** Codes of the scales, filled up with zeros to whole blocks. */
  readonly scales: Uint8Array
  readonly steps: Float32Array
  readonly least: Float32Array
}

/** Bytes a number. */
export const NF4_BYTES = 0.5 + 1 / NF4.block + 4 / (NF4.block * NF4.scalesBlock)

const FORMAT = { ...STANDARD, bits: 4 }

/** @param weight whole blocks of 64 (`fitsNf4`) */
export function asNf4(weight: Float32Array): Nf4Weight {
  const { codes, scales: found } = normalCodes(weight, FORMAT)
  const nested = found as NestedScales
  const data = new Uint8Array(codes.length / 2)
  for (let i = 0; i < data.length; i++) data[i] = (codes[2 * i]! << 4) | codes[2 * i + 1]!
  const scales = new Uint8Array(nested.steps.length * NF4.scalesBlock)
  scales.set(nested.codes)
  const { steps, least } = nested
  return { storage: 'nf4', data, scales, steps, least: Float32Array.of(least) }
}

export function fromNf4({ data, scales, steps, least }: Nf4Weight): Float32Array {
  const codes = new Uint8Array(2 * data.length)
  data.forEach((byte, i) => {
    codes[2 * i] = byte >> 4
    codes[2 * i + 1] = byte & 15
  })
  const own = scales.subarray(0, codes.length / NF4.block)
  const nested = { codes: own, steps, least: least[0]!, scalesBlock: NF4.scalesBlock }
  return normalValues({ format: FORMAT, codes, scales: nested })
}
