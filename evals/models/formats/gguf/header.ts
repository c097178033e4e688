/**
 * @file The header of a GGUF file: magic, version, counts, metadata, tensor table. Written for this project because a
 * package that pads its buffer with zeros accepts truncated files.
 */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { fileSize, malformed, openForReading, readExactly } from '../../../files/read-file.ts'

export type GgufValue = string | number | bigint | boolean | readonly GgufValue[]

export interface GgufTensor {
  readonly name: string
  /** ggml's order: row length first. */
  readonly dimensions: readonly number[]
  readonly type: number
  /** Relative to the start of the tensor data. */
  readonly offset: number
}

export interface GgufHeader {
  readonly size: number
  readonly metadata: ReadonlyMap<string, GgufValue>
  readonly tensors: readonly GgufTensor[]
  readonly alignment: number
  /** Start of the tensor data. */
  readonly dataStart: number
}

const FIRST_READ = 4 * 2 ** 20
/** A vocabulary of a million tokens needs a tenth of this. */
const HEADER_LIMIT = 512 * 2 ** 20
const LONGEST_NAME = 2 ** 16
const DEEPEST_ARRAY = 3
const LARGEST_RANK = 4
const DEFAULT_ALIGNMENT = 32

/** Thrown to restart parsing with more bytes of the file; the reader itself is synchronous. */
class NeedsBytes extends Error {
  readonly upTo: number
  constructor(upTo: number) {
    super('internal: more of the header is needed')
    this.upTo = upTo
  }
}

/** Parses a prefix of the file: 4 MiB first, then at least twice as much each time. */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  const size = await fileSize(path)
  const file = await openForReading(path)
  try {
    for (let length = Math.min(FIRST_READ, size); ;) {
      const bytes = new Uint8Array(length)
      await readExactly(file, path, bytes, 0)
      try {
        return parseHeader(path, bytes, size)
      } catch (error) {
        if (!(error instanceof NeedsBytes)) throw error
        if (error.upTo > HEADER_LIMIT) {
          throw malformed(path, 'a header of more than 512 MiB', 'a header of a few MiB')
        }
        length = Math.min(size, Math.max(error.upTo, 2 * length))
      }
    }
  } finally {
    await file.close()
  }
}

function parseHeader(path: string, bytes: Uint8Array, size: number): GgufHeader {
  const reader = createReader(path, bytes, size)
  const { tensorCount, metadataCount } = readPreamble(path, reader)
  const metadata = new Map<string, GgufValue>()
  for (let i = 0; i < metadataCount; i++) {
    const key = reader.text(LONGEST_NAME)
    if (metadata.has(key)) throw malformed(path, `the key "${key}" twice`, 'each key once')
    metadata.set(key, reader.value(reader.u32()))
  }
  const tensors = Array.from({ length: tensorCount }, () => readTensor(path, reader))
  const alignment = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT
  if (
    typeof alignment !== 'number' ||
    alignment > 2 ** 20 ||
    !/^0*10*$/u.test(alignment.toString(2)) ||
    alignment < 8
  ) {
    throw malformed(path, `an alignment of ${String(alignment)}`, 'a power of two from 8 on')
  }
  const dataStart = Math.ceil(reader.position() / alignment) * alignment
  return { size, metadata, tensors, alignment, dataStart }
}

function readPreamble(path: string, reader: GgufReader) {
  const magic = reader.u32()
  if (magic !== 0x46554747) throw malformed(path, 'another beginning than "GGUF"', 'a GGUF file')
  const version = reader.u32()
  if (version !== 2 && version !== 3) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: 'GGUF version',
      found: (version & 0xffff) === 0 ? 'big-endian' : String(version),
      supported: 'little-endian versions 2 and 3',
    })
  }
  // Least bytes of a tensor entry and of a metadata entry.
  const tensorCount = reader.count(24)
  const metadataCount = reader.count(13)
  return { tensorCount, metadataCount }
}

function readTensor(path: string, reader: GgufReader): GgufTensor {
  const name = reader.text(LONGEST_NAME)
  const rank = reader.u32()
  if (rank > LARGEST_RANK) {
    throw malformed(path, `${rank} dimensions for "${name}"`, `at most ${LARGEST_RANK}`)
  }
  const dimensions = Array.from({ length: rank }, () => reader.u64())
  return { name, dimensions, type: reader.u32(), offset: reader.u64() }
}

type GgufReader = ReturnType<typeof createReader>

function createReader(path: string, bytes: Uint8Array, size: number) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let at = 0

  /** Advances by `length` bytes and returns where they start. */
  const take = (length: number): number => {
    const end = at + length
    if (end > size) throw malformed(path, `the end of the file at ${size} bytes`, 'a whole header')
    if (end > bytes.length) throw new NeedsBytes(end)
    const start = at
    at = end
    return start
  }
  const u32 = () => view.getUint32(take(4), true)
  const u64 = () => {
    const at8 = take(8)
    const upper = view.getUint32(at8 + 4, true)
    if (upper >= 2 ** 21) {
      const found = `the number ${view.getBigUint64(at8, true)} in its header`
      throw malformed(path, found, 'numbers below 2^53')
    }
    return upper * 2 ** 32 + view.getUint32(at8, true)
  }
  /**
   * A number of items of at least `least` bytes each; refused if they cannot fit, so that no count causes an allocation.
   */
  const count = (least: number) => {
    const value = u64()
    if (value * least > size - at) {
      throw malformed(path, `${value} entries in ${size} bytes`, 'as many as the file holds')
    }
    return value
  }
  const text = (longest: number) => {
    const length = u64()
    if (length > longest) throw malformed(path, `a text of ${length} bytes`, `at most ${longest}`)
    const start = take(length)
    try {
      return decoder.decode(bytes.subarray(start, start + length))
    } catch {
      throw malformed(path, 'a text that is not UTF-8', 'UTF-8')
    }
  }
  const wide = (value: bigint) => (BigInt.asIntN(53, value) === value ? Number(value) : value)
  const scalars: Readonly<Record<number, { bytes: number; read: () => GgufValue }>> = {
    0: { bytes: 1, read: () => view.getUint8(take(1)) },
    1: { bytes: 1, read: () => view.getInt8(take(1)) },
    2: { bytes: 2, read: () => view.getUint16(take(2), true) },
    3: { bytes: 2, read: () => view.getInt16(take(2), true) },
    4: { bytes: 4, read: u32 },
    5: { bytes: 4, read: () => view.getInt32(take(4), true) },
    6: { bytes: 4, read: () => view.getFloat32(take(4), true) },
    7: { bytes: 1, read: () => view.getUint8(take(1)) !== 0 },
    8: { bytes: 8, read: () => text(size) },
    10: { bytes: 8, read: () => wide(view.getBigUint64(take(8), true)) },
    11: { bytes: 8, read: () => wide(view.getBigInt64(take(8), true)) },
    12: { bytes: 8, read: () => view.getFloat64(take(8), true) },
  }
  const ARRAY = 9
  const value = (type: number, depth = 0): GgufValue => {
    if (type !== ARRAY) {
      const scalar = scalars[type]
      if (!scalar) throw malformed(path, `a value of type ${type}`, 'types 0 to 12')
      return scalar.read()
    }
    if (depth === DEEPEST_ARRAY) throw malformed(path, 'lists within lists', 'flat lists')
    const inner = u32()
    const length = count(inner === ARRAY ? 12 : (scalars[inner]?.bytes ?? 1))
    const values: GgufValue[] = []
    for (let i = 0; i < length; i++) values.push(value(inner, depth + 1))
    return values
  }
  return { u32, u64, count, text, value, position: () => at }
}
