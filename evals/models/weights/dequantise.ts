/**
 * @file Decodes stored numbers to float32: floats here, ggml's blocks of 32 in ggml-blocks.ts, super-blocks of 256 in
 * ggml-super-blocks.ts. Products are exact in float64 and rounded once, so results equal ggml's reference bit for bit.
 */
import { numerics } from '../../native/load.ts'
import type { StorageType } from './storage.ts'
import {
  decodeIQ4_NL,
  decodeQ4_0,
  decodeQ4_1,
  decodeQ5_0,
  decodeQ5_1,
  decodeQ8_0,
} from './ggml-blocks.ts'
import {
  decodeIQ4_XS,
  decodeQ2_K,
  decodeQ3_K,
  decodeQ4_K,
  decodeQ5_K,
  decodeQ6_K,
} from './ggml-super-blocks.ts'

interface StorageFormat {
  readonly elementsPerBlock: number
  readonly bytesPerBlock: number
  /** `bytes` holds whole blocks and starts at a multiple of 8 in its buffer; `out` has as many elements. */
  readonly decode: (bytes: Uint8Array, out: Float32Array) => void
}

function decodeF32(bytes: Uint8Array, out: Float32Array): void {
  out.set(new Float32Array(bytes.buffer, bytes.byteOffset, out.length))
}

function decodeF64(bytes: Uint8Array, out: Float32Array): void {
  out.set(new Float64Array(bytes.buffer, bytes.byteOffset, out.length))
}

const halvesOf = (bytes: Uint8Array, count: number) =>
  new Uint16Array(bytes.buffer, bytes.byteOffset, count)

const decodeF16 = (bytes: Uint8Array, out: Float32Array): void =>
  numerics().widenFloat16(halvesOf(bytes, out.length), out)

const decodeBf16 = (bytes: Uint8Array, out: Float32Array): void =>
  numerics().widenBfloat16(halvesOf(bytes, out.length), out)

export const STORAGE_FORMATS: Readonly<Record<StorageType, StorageFormat>> = {
  F32: { elementsPerBlock: 1, bytesPerBlock: 4, decode: decodeF32 },
  F16: { elementsPerBlock: 1, bytesPerBlock: 2, decode: decodeF16 },
  BF16: { elementsPerBlock: 1, bytesPerBlock: 2, decode: decodeBf16 },
  F64: { elementsPerBlock: 1, bytesPerBlock: 8, decode: decodeF64 },
  Q8_0: { elementsPerBlock: 32, bytesPerBlock: 34, decode: decodeQ8_0 },
  Q4_0: { elementsPerBlock: 32, bytesPerBlock: 18, decode: decodeQ4_0 },
  Q4_1: { elementsPerBlock: 32, bytesPerBlock: 20, decode: decodeQ4_1 },
  Q5_0: { elementsPerBlock: 32, bytesPerBlock: 22, decode: decodeQ5_0 },
  Q5_1: { elementsPerBlock: 32, bytesPerBlock: 24, decode: decodeQ5_1 },
  IQ4_NL: { elementsPerBlock: 32, bytesPerBlock: 18, decode: decodeIQ4_NL },
  Q2_K: { elementsPerBlock: 256, bytesPerBlock: 84, decode: decodeQ2_K },
  Q3_K: { elementsPerBlock: 256, bytesPerBlock: 110, decode: decodeQ3_K },
  Q4_K: { elementsPerBlock: 256, bytesPerBlock: 144, decode: decodeQ4_K },
  Q5_K: { elementsPerBlock: 256, bytesPerBlock: 176, decode: decodeQ5_K },
  IQ4_XS: { elementsPerBlock: 256, bytesPerBlock: 136, decode: decodeIQ4_XS },
  Q6_K: { elementsPerBlock: 256, bytesPerBlock: 210, decode: decodeQ6_K },
}
