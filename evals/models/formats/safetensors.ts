/**
 * @file Reads the safetensors format: 8 bytes of little-endian header length, that many bytes of JSON, raw tensors. As
 * strict as the reference implementation: tensors fill the rest of the file without holes or overlaps.
 */
import { z } from 'zod'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { StorageType, StoredWeight } from '../weights/storage.ts'
import {
  decodeUtf8,
  fileSize,
  malformed,
  openForReading,
  parseJsonObject,
  readExactly,
} from '../../files/read-file.ts'
import { elementsOf, storedBytes } from '../weights/stored-weights.ts'

/** As in the reference implementation. */
const HEADER_LIMIT = 100_000_000
const LARGEST_RANK = 8
const LENGTH_BYTES = 8

const SUPPORTED = ['F32', 'F16', 'BF16', 'F64'] as const satisfies readonly StorageType[]
const isSupported = (dtype: string): dtype is (typeof SUPPORTED)[number] =>
  (SUPPORTED as readonly string[]).includes(dtype)

const whole = z.int().min(0)
const entrySchema = z.strictObject({
  dtype: z.string().max(32),
  shape: z.array(whole).max(LARGEST_RANK),
  data_offsets: z.tuple([whole, whole]),
})

/**
 * Index buffers 0, 1, 2, … and zeros that older versions of transformers saved with BERT: checked like tensors, then
 * ignored.
 */
const COUNTERS = /(?:^|\.)embeddings\.(?:position_ids|token_type_ids)$/u
const COUNTER_BYTES = 8
const isCounter = (name: string, dtype: string) => dtype === 'I64' && COUNTERS.test(name)

interface SafetensorsFile {
  /** In the order of their bytes. */
  readonly weights: readonly StoredWeight[]
  readonly metadata: ReadonlyMap<string, string>
}

/** Reads only the header; checks every weight's place against the file's size. */
export async function readSafetensorsIndex(path: string): Promise<SafetensorsFile> {
  const size = await fileSize(path)
  const { text, dataStart } = await readHeader(path, size)
  const { __metadata__: declared, ...entries } = parseJsonObject(text, path)
  const all = Object.entries(entries)
    .map(([name, entry]) => toTensor(path, name, entry, dataStart))
    .sort((a, b) => a.offset - b.offset || a.bytes - b.bytes)
  checkCoverage(path, all, dataStart, size)
  const weights = all.filter((tensor) => tensor.storage !== undefined)
  return { weights, metadata: toMetadata(path, declared) }
}

async function readHeader(path: string, size: number) {
  if (size < LENGTH_BYTES) {
    throw malformed(path, size === 0 ? 'an empty file' : `${size} bytes`, 'a safetensors file')
  }
  const handle = await openForReading(path)
  try {
    const prefix = new Uint8Array(LENGTH_BYTES)
    await readExactly(handle, path, prefix, 0)
    const length = new DataView(prefix.buffer).getBigUint64(0, true)
    const room = Math.min(HEADER_LIMIT, size - LENGTH_BYTES)
    if (length < 2n || length > BigInt(room)) {
      throw malformed(path, `a header of ${length} bytes`, `one of 2 to ${room} bytes`)
    }
    const header = new Uint8Array(Number(length))
    await readExactly(handle, path, header, LENGTH_BYTES)
    if (header[0] !== 0x7b) throw malformed(path, 'a header without "{"', 'a JSON header')
    return { text: decodeUtf8(header, path), dataStart: LENGTH_BYTES + Number(length) }
  } finally {
    await handle.close()
  }
}

/** A weight, or an index buffer, which has no storage type here. */
type StoredTensor =
  StoredWeight | (Omit<StoredWeight, 'storage'> & { readonly storage?: undefined })

function toTensor(path: string, name: string, entry: unknown, dataStart: number): StoredTensor {
  const parsed = entrySchema.safeParse(entry)
  if (!parsed.success) {
    const { path: where, message } = parsed.error.issues[0]!
    const bad = `a bad entry for "${name}" (${[...where, message].join(': ')})`
    throw malformed(path, bad, 'dtype, shape of whole numbers and data_offsets [begin, end]')
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data
  const storage = isSupported(dtype) ? dtype : undefined
  if (!storage && !isCounter(name, dtype)) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: `for "${name}" the storage type`,
      found: dtype,
      supported: SUPPORTED.join(', '),
    })
  }
  const bytes = offsets[1] - offsets[0]
  const expected = storage ? storedBytes(shape, storage) : elementsOf(shape) * COUNTER_BYTES
  if (bytes !== expected) {
    const wanted = `${expected} bytes for ${dtype} of shape [${shape.join(', ')}]`
    throw malformed(path, `${bytes} bytes for "${name}"`, wanted)
  }
  const place = { name, shape, file: path, offset: dataStart + offsets[0], bytes }
  return storage ? { ...place, storage } : place
}

function checkCoverage(
  path: string,
  weights: readonly StoredTensor[],
  dataStart: number,
  size: number,
): void {
  let end = dataStart
  for (const { name, offset, bytes } of weights) {
    if (offset < end) throw malformed(path, `"${name}" overlapping another weight`, 'no overlaps')
    if (offset > end) throw malformed(path, `a hole before "${name}"`, 'weights without holes')
    end = offset + bytes
  }
  if (end > size) throw malformed(path, `${size} bytes in the file`, `${end} bytes`)
  if (end < size) throw malformed(path, `${size - end} bytes after the last weight`, 'none')
}

function toMetadata(path: string, declared: unknown): ReadonlyMap<string, string> {
  const parsed = z.record(z.string(), z.string()).default({}).safeParse(declared)
  if (!parsed.success) throw malformed(path, 'bad __metadata__', 'text values in __metadata__')
  return new Map(Object.entries(parsed.data))
}
