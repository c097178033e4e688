/**
 * @file Decodes stored numbers to float32: floats here, ggml's blocks of 32 in ggml-blocks.ts, super-blocks of 256 in
 * ggml-super-blocks.ts. Products are exact in float64 and rounded once, so results equal ggml's reference bit for bit.
 */
import { numerics } from '../../native/load.ts'
import { BLOCKS, type StorageFormat } from './ggml-blocks.ts'
import { SUPER_BLOCKS } from './ggml-super-blocks.ts'
import type { StorageType } from './storage.ts'

type Decode = StorageFormat['decode']
const decodeF32: Decode = (bytes, out) =>
  out.set(new Float32Array(bytes.buffer, bytes.byteOffset, out.length))
const decodeF64: Decode = (bytes, out) =>
  out.set(new Float64Array(bytes.buffer, bytes.byteOffset, out.length))

const halvesOf = (bytes: Uint8Array, count: number) =>
  new Uint16Array(bytes.buffer, bytes.byteOffset, count)
const decodeF16: Decode = (bytes, out) => numerics().widenFloat16(halvesOf(bytes, out.length), out)
const decodeBf16: Decode = (bytes, out) =>
  numerics().widenBfloat16(halvesOf(bytes, out.length), out)

export const STORAGE_FORMATS: Readonly<Record<StorageType, StorageFormat>> = {
  F32: { ggml: 0, elementsPerBlock: 1, bytesPerBlock: 4, decode: decodeF32 },
  F16: { ggml: 1, elementsPerBlock: 1, bytesPerBlock: 2, decode: decodeF16 },
  ...BLOCKS,
  ...SUPER_BLOCKS,
  F64: { ggml: 28, elementsPerBlock: 1, bytesPerBlock: 8, decode: decodeF64 },
  BF16: { ggml: 30, elementsPerBlock: 1, bytesPerBlock: 2, decode: decodeBf16 },
}
