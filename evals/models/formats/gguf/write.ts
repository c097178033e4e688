/** @file Writes GGUF version 3 atomically: header, metadata, tensor table, tensors. */
import { STORAGE_FORMATS } from '../../weights/dequantise.ts'
import { encode, type WrittenStorage } from '../../weights/encode.ts'
import { writeAtomically } from '../../../files/write-file.ts'
import { elementsOf, storedBytes } from '../../weights/stored-weights.ts'

export type GgufField =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'u32' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'i32s' | 'f32s'; readonly value: readonly number[] }
  | { readonly type: 'bools'; readonly value: readonly boolean[] }

export interface GgufTensorToWrite {
  readonly name: string
  /** Rows first; the file stores the reverse. */
  readonly shape: readonly number[]
  readonly storage: WrittenStorage
  /** Called when it is written, so that one tensor at a time is in memory. */
  readonly data: () => Float32Array
}

const ALIGNMENT = 32
const KINDS = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const

const bytesOf = ({ buffer }: { readonly buffer: ArrayBuffer }) => new Uint8Array(buffer)
const u32 = (value: number) => bytesOf(Uint32Array.of(value))
const u64 = (value: number) => bytesOf(BigUint64Array.of(BigInt(value)))
const text = (value: string) => {
  const bytes = new TextEncoder().encode(value)
  return Buffer.concat([u64(bytes.length), bytes])
}
const array = (kind: number, count: number, items: readonly Uint8Array[]) =>
  Buffer.concat([u32(KINDS.array), u32(kind), u64(count), ...items])

function fieldBytes(field: GgufField): Uint8Array {
  switch (field.type) {
    case 'string':
      return Buffer.concat([u32(KINDS.string), text(field.value)])
    case 'u32':
      return Buffer.concat([u32(KINDS.u32), u32(field.value)])
    case 'f32':
      return Buffer.concat([u32(KINDS.f32), bytesOf(Float32Array.of(field.value))])
    case 'bool':
      return Buffer.concat([u32(KINDS.bool), Uint8Array.of(field.value ? 1 : 0)])
    case 'strings':
      return array(KINDS.string, field.value.length, field.value.map(text))
    case 'i32s':
      return array(KINDS.i32, field.value.length, [bytesOf(Int32Array.from(field.value))])
    case 'f32s':
      return array(KINDS.f32, field.value.length, [bytesOf(Float32Array.from(field.value))])
    case 'bools':
      return array(KINDS.bool, field.value.length, [Uint8Array.from(field.value, Number)])
  }
}

const roundUp = (bytes: number) => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
const padding = (bytes: number) => new Uint8Array(roundUp(bytes) - bytes)

export async function writeGguf(
  path: string,
  metadata: ReadonlyMap<string, GgufField>,
  tensors: readonly GgufTensorToWrite[],
): Promise<void> {
  const header: Uint8Array[] = [
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(metadata.size),
  ]
  for (const [key, field] of metadata) header.push(text(key), fieldBytes(field))
  let offset = 0
  for (const { name, shape, storage } of tensors) {
    header.push(text(name), u32(shape.length), ...shape.toReversed().map(u64))
    header.push(u32(STORAGE_FORMATS[storage].ggml), u64(offset))
    offset += roundUp(storedBytes(shape, storage))
  }
  const bytes = Buffer.concat(header)
  await writeAtomically(path, [
    Buffer.concat([bytes, padding(bytes.length)]),
    ...tensors.map((tensor) => () => tensorBytes(tensor)),
  ])
}

function tensorBytes({ name, shape, storage, data }: GgufTensorToWrite): Uint8Array {
  const values = data()
  if (values.length !== elementsOf(shape)) {
    throw new Error(`internal: "${name}" has ${values.length} values for [${shape.join(', ')}]`)
  }
  const bytes = encode(name, values, storage)
  return Buffer.concat([bytes, padding(bytes.length)])
}
