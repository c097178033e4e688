/** @file Reads weights from their files on demand, in chunks, as float32. */
import { sha256 } from '../../files/digest.ts'
import { createHash } from 'node:crypto'
import { join, relative } from 'node:path'
import { addon } from '../../native/load.ts'
import type { StorageType, StoredWeight, WeightPlace } from './storage.ts'
import { STORAGE_FORMATS } from './dequantise.ts'
import type { OpenFile } from '../../files/read-file.ts'
import { MEBIBYTE, openForReading, readExactlyNow } from '../../files/read-file.ts'

const CHUNK = 8 * MEBIBYTE

/** Number of elements; 1 for a scalar. */
export function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1)
}

/** Total number of elements. */
export const elementsOfAll = (weights: Iterable<{ readonly shape: readonly number[] }>): number =>
  [...weights].reduce((sum, { shape }) => sum + elementsOf(shape), 0)

/** Bytes of a tensor as stored. */
export function storedBytes(shape: readonly number[], storage: StorageType): number {
  const { elementsPerBlock, bytesPerBlock } = STORAGE_FORMATS[storage]
  return (elementsOf(shape) / elementsPerBlock) * bytesPerBlock
}

/** Files of a checkpoint, held open so that a replaced file is not half read. */
export interface OpenFiles {
  file(path: string): OpenFile
  close(): Promise<void>
}

export async function openFiles(paths: readonly string[]): Promise<OpenFiles> {
  const opened = new Map<string, OpenFile>()
  const close = async () => {
    const all = [...opened.values()]
    opened.clear()
    await Promise.all(all.map((file) => file.close()))
  }
  try {
    for (const path of paths) opened.set(path, await openForReading(path))
  } catch (error) {
    await close()
    throw error
  }
  return {
    close,
    file(path) {
      const file = opened.get(path)
      if (!file) throw new Error(`internal: ${path} was read after the checkpoint was closed`)
      return file
    },
  }
}

/** Location for readers by path, if it is a float type; rows in stored order. */
export function placeOf(files: OpenFiles, weight: StoredWeight): WeightPlace | undefined {
  const { file, offset, bytes, storage } = weight
  if (storage !== 'F32' && storage !== 'F16' && storage !== 'BF16') return undefined
  return { file, offset, bytes, storage, isThere: () => files.file(file).isAtItsPath() }
}

/** The weight in float32, row-major, rows in stored order. */
export function readStored(files: OpenFiles, weight: StoredWeight): Float32Array {
  const source = files.file(weight.file)
  const values = new Float32Array(elementsOf(weight.shape))
  if (weight.storage === 'F32') {
    readExactlyNow(source, weight.file, new Uint8Array(values.buffer), weight.offset)
    return values
  }
  const { elementsPerBlock, bytesPerBlock, decode } = STORAGE_FORMATS[weight.storage]
  const blocksPerChunk = Math.floor(CHUNK / bytesPerBlock)
  const chunk = new Uint8Array(Math.min(weight.bytes, blocksPerChunk * bytesPerBlock))
  for (let done = 0; done < weight.bytes; done += chunk.byteLength) {
    const bytes = chunk.subarray(0, Math.min(chunk.byteLength, weight.bytes - done))
    readExactlyNow(source, weight.file, bytes, weight.offset + done)
    const first = (done / bytesPerBlock) * elementsPerBlock
    const count = (bytes.byteLength / bytesPerBlock) * elementsPerBlock
    decode(bytes, values.subarray(first, first + count))
  }
  return values
}

/**
 * Maps float32 from its file as an array that may be written to; undefined if it must be read instead. Pages load on first
 * access and can be evicted, so reading a base costs no memory of this process. Replacing or deleting the file has no
 * effect. Overwriting it in place changes the array, and truncating it ends the process, as under ONNX Runtime's mapping;
 * this project never does either.
 */
export function mappedFloats(place: WeightPlace): Float32Array | undefined {
  const buffer = place.storage === 'F32' ? mapped(place) : undefined
  return buffer && new Float32Array(buffer)
}

function mapped(place: Omit<WeightPlace, 'storage'>): ArrayBuffer | undefined {
  const native = addon()
  if (!native || !place.isThere()) return undefined
  const buffer = native.mapFile(place.file, place.offset, place.bytes)
  // Mapped by path: valid only if it is still the opened file.
  return buffer && place.isThere() ? buffer : undefined
}

/** A weight as stored, mapped as by `mappedFloats`; undefined if it must be read instead. */
export function mappedBytes(files: OpenFiles, weight: StoredWeight): Uint8Array | undefined {
  const { file, offset, bytes } = weight
  const buffer = mapped({ file, offset, bytes, isThere: () => files.file(file).isAtItsPath() })
  return buffer && new Uint8Array(buffer)
}

/** A weight as stored, read. */
export function storedRows(files: OpenFiles, { file, offset, bytes }: StoredWeight): Uint8Array {
  const all = new Uint8Array(bytes)
  readExactlyNow(files.file(file), file, all, offset)
  return all
}

/**
 * sha256 of whole files. For several, the hash of the list that `sha256sum` prints, sorted by name within `folder`: the
 * same as `sha256sum config.json model.safetensors | sha256sum`.
 */
export async function digestFiles(
  folder: string,
  paths: readonly string[],
  files: OpenFiles,
): Promise<string> {
  if (paths.length === 1) return digestFile(files.file(paths[0]!))
  let list = ''
  for (const path of paths.toSorted())
    list += `${await digestFile(files.file(path))}  ${relative(folder, path)}\n`
  return sha256(list)
}

async function digestFile(file: OpenFile): Promise<string> {
  const hash = createHash('sha256')
  // Many small files are digested where adapters are served.
  const chunk = Buffer.allocUnsafe(Math.min(MEBIBYTE, Math.max(1, file.bytes)))
  for (let done = 0; ;) {
    const read = await file.read(chunk, 0, chunk.byteLength, done)
    if (read === 0) return hash.digest('hex')
    hash.update(chunk.subarray(0, read))
    done += read
  }
}

/** `digestFiles` of files opened only for this. */
export async function digestAt(folder: string, names: readonly string[]): Promise<string> {
  const paths = names.map((name) => join(folder, name))
  const files = await openFiles(paths)
  try {
    return await digestFiles(folder, paths, files)
  } finally {
    await files.close()
  }
}
