/**
 * @file Reads an untrusted ZIP archive, one entry at a time. Names, number and declared sizes are checked before anything is
 * unpacked; an entry whose size or checksum differs from the declared one is refused.
 */
import { malformedLog } from './log-file.ts'
import type { Readable } from 'node:stream'
import { crc32, inflateRawSync, zstdDecompressSync } from 'node:zlib'
import { openPromise, validateFileName, type Entry, type ZipFile } from 'yauzl'
import { TouchstoneError } from '../errors/touchstone-error.ts'

const MEBIBYTE = 2 ** 20

interface ZipLimits {
  readonly entries: number
  /** Bytes after unpacking. */
  readonly entryBytes: number
  readonly totalBytes: number
}

/** Enough for 10⁵ samples, too little for a decompression bomb. */
const ZIP_LIMITS: ZipLimits = {
  entries: 500_000,
  entryBytes: 256 * MEBIBYTE,
  totalBytes: 16 * 1024 * MEBIBYTE,
}

export interface ZipArchive {
  /** In the archive's order, without folders. Of several entries with one name the last counts, as in Inspect. */
  readonly names: readonly string[]
  read(name: string): Promise<Uint8Array>
  close(): void
}

type Member = Pick<
  Entry,
  | 'compressionMethod'
  | 'compressedSize'
  | 'uncompressedSize'
  | 'crc32'
  | 'relativeOffsetOfLocalHeader'
>

export async function openZip(path: string, limits: ZipLimits = ZIP_LIMITS): Promise<ZipArchive> {
  const zip = await openPromise(path, {
    lazyEntries: true,
    autoClose: false,
    strictFileNames: true,
  }).catch((error: unknown) => {
    throw damaged(path, error)
  })
  try {
    const members = await membersOf(zip, path, limits)
    return {
      names: [...members.keys()],
      read: (name) => readMember(zip, members.get(name), `${path}: ${name}`),
      close: () => zip.close(),
    }
  } catch (error) {
    zip.close()
    throw error instanceof TouchstoneError ? error : damaged(path, error)
  }
}

function damaged(path: string, error: unknown): TouchstoneError {
  const { code, message } = error as NodeJS.ErrnoException
  return malformedLog(path, code ?? message, 'a whole ZIP archive')
}

async function membersOf(
  zip: ZipFile,
  path: string,
  limits: ZipLimits,
): Promise<Map<string, Member>> {
  if (zip.entryCount > limits.entries) {
    throw malformedLog(path, `${zip.entryCount} entries`, `at most ${limits.entries}`)
  }
  const members = new Map<string, Member>()
  let total = 0
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/')) continue
    refuse(entry, path, limits)
    total += entry.uncompressedSize
    if (total > limits.totalBytes) {
      throw malformedLog(path, `more than ${total} bytes`, `at most ${limits.totalBytes} bytes`)
    }
    // Not the entry itself, because it keeps its names as buffers.
    const { compressionMethod, compressedSize, uncompressedSize, relativeOffsetOfLocalHeader } =
      entry
    const sizes = { compressedSize, uncompressedSize, crc32: entry.crc32 }
    const member = { compressionMethod, relativeOffsetOfLocalHeader, ...sizes }
    members.set(entry.fileName, member)
  }
  return members
}

function refuse(entry: Entry, path: string, limits: ZipLimits): void {
  const { fileName, uncompressedSize, compressionMethod } = entry
  const wrongName = validateFileName(fileName) ?? (fileName.includes('\0') ? 'a NUL' : null)
  if (wrongName !== null) throw malformedLog(path, wrongName, 'names inside the archive')
  if (entry.isEncrypted()) throw malformedLog(path, `${fileName}, encrypted`, 'plain entries')
  if (!(compressionMethod in DECODERS)) {
    const found = `${fileName}, compressed by method ${compressionMethod}`
    throw malformedLog(path, found, 'stored, deflate or zstd')
  }
  if (uncompressedSize > limits.entryBytes) {
    const found = `${fileName} of ${uncompressedSize} bytes`
    throw malformedLog(path, found, `at most ${limits.entryBytes} bytes an entry`)
  }
}

/** By ZIP's number of the method; at most the declared `size` is unpacked. */
const DECODERS: Readonly<Record<number, (packed: Buffer, size: number) => Uint8Array>> = {
  0: (packed) => packed,
  8: (packed, size) => inflateRawSync(packed, { maxOutputLength: size || 1 }),
  93: (packed, size) => zstdDecompressSync(packed, { maxOutputLength: size || 1 }),
}

async function readMember(
  zip: ZipFile,
  member: Member | undefined,
  where: string,
): Promise<Uint8Array> {
  if (!member) throw malformedLog(where, 'nothing', 'an entry of that name')
  const { uncompressedSize: size, compressedSize } = member
  try {
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(member as Entry, {
      minimal: true,
    })
    const packed = await collect(await openRaw(zip, fileDataStart, compressedSize))
    const bytes = DECODERS[member.compressionMethod]!(packed, size)
    if (bytes.length === size && crc32(bytes) === member.crc32) return bytes
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw malformedLog(where, code ?? message, `${size} bytes that unpack`)
  }
  throw malformedLog(where, 'another size or check sum', 'what its entry declares')
}

/** Not `openReadStreamLowLevelPromise`: in yauzl 3.4.0 that calls another function. */
function openRaw(zip: ZipFile, start: number, length: number): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStreamLowLevel(start, length, 0, length, false, null, (error, stream) =>
      error ? reject(error) : resolve(stream),
    )
  })
}

async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}
