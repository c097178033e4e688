/** @file Writes safetensors deterministically and atomically. */
import { encode } from '../weights/encode.ts'
import { writeAtomically } from '../../files/write-file.ts'
import { elementsOf, storedBytes } from '../weights/stored-weights.ts'

export interface TensorToWrite {
  readonly name: string
  readonly shape: readonly number[]
  /** A function keeps only one tensor at a time in memory. */
  readonly data: Float32Array | (() => Float32Array)
  /** F32 if absent. */
  readonly storage?: FolderStorage
}

/** Number formats of the Hugging Face folders written here. */
export type FolderStorage = 'F32' | 'F16' | 'BF16'

const ALIGNMENT = 8

/** Sorts names, and pads the header with spaces so that tensors start at a multiple of 8. */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1))
  await writeAtomically(path, [
    header(sorted, metadata),
    ...sorted.map((tensor) => () => bytesOf(tensor)),
  ])
}

function header(
  sorted: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const entries: [string, unknown][] = []
  const notes = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
  if (notes.length > 0) entries.push(['__metadata__', Object.fromEntries(notes)])
  let offset = 0
  for (const [index, tensor] of sorted.entries()) {
    const { name, shape, storage = 'F32' } = tensor
    if (name === sorted[index - 1]?.name || name === '__metadata__') {
      throw new Error(`internal: a tensor cannot be named "${name}" here`)
    }
    const end = offset + storedBytes(shape, storage)
    entries.push([name, { dtype: storage, shape, data_offsets: [offset, end] }])
    offset = end
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)))
  const padded = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT
  const bytes = new Uint8Array(8 + padded).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true)
  bytes.set(json, 8)
  return bytes
}

function bytesOf({ name, shape, data, storage = 'F32' }: TensorToWrite): Uint8Array {
  const values = typeof data === 'function' ? data() : data
  if (elementsOf(shape) !== values.length) {
    throw new Error(`internal: "${name}" has ${values.length} values for [${shape.join(', ')}]`)
  }
  // Training results are stored unchanged, infinities included: readers report them.
  if (storage === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return encode(name, values, storage)
}
