/** @file Reading small files from strangers: bounded size, strict UTF-8, strict JSON; anything else is a named error. */
import { close, fstatSync, open, read, readSync, statSync, type Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { parseJsonStrictly } from './strict-json.ts'
import { utf8 } from './text.ts'

export const MEBIBYTE = 2 ** 20
/** Larger than any published `config.json`, index or template; a `tokenizer.json` may have 256 MiB. */
export const SMALL_FILE_LIMIT = 32 * MEBIBYTE
export const TOKENIZER_FILE_LIMIT = 256 * MEBIBYTE

export type JsonObject = Record<string, unknown>

export function malformed(path: string, found: string, expected: string): TouchstoneError {
  return new TouchstoneError('checkpoint.malformed', { path, found, expected })
}

/** Bytes of a regular file (links are followed); `checkpoint.not-found` where there is none. */
export async function fileSize(path: string): Promise<number> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error)
  })
  if (!found.isFile()) throw notReadable(path, describeKind(found.isDirectory()))
  return found.size
}

const describeKind = (isDirectory: boolean): string =>
  `it is ${isDirectory ? 'a folder' : 'neither file nor folder'} where a file is asked for`

/** Of a file that is not damaged, for all that is known. */
export const notReadable = (path: string, why: string) =>
  new TouchstoneError('file.unreadable', { path, why })

/** What the file system said, as an error of ours. */
export function unreadable(path: string, cause: unknown): TouchstoneError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause)
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new TouchstoneError('checkpoint.not-found', { path })
  }
  return notReadable(path, `the system said ${code}`)
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/**
 * An open file, by number. Not a `FileHandle`: the runtime ends the process when one of those is forgotten, and
 * forgetting to close a model must cost a descriptor, no more.
 */
export interface OpenFile {
  read(target: Uint8Array, start: number, length: number, position: number): Promise<number>
  /** The same, and nothing else happens until it is done. */
  readNow(target: Uint8Array, start: number, length: number, position: number): number
  readonly bytes: number
  /** The same for a file that was not replaced or written to since. */
  readonly version: string
  /** Whether its path still leads to it, unchanged since it was opened: a reader by path finds the same bytes. */
  isAtItsPath(): boolean
  close(): Promise<void>
}

const openDescriptor = promisify(open)
const readDescriptor = promisify(read)
const closeDescriptor = promisify(close)

export async function openForReading(path: string): Promise<OpenFile> {
  const descriptor = await openDescriptor(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error)
  })
  const then = fstatSync(descriptor)
  const version = versionOf(then)
  return {
    bytes: then.size,
    version,
    read: async (target, start, length, position) =>
      (await readDescriptor(descriptor, target, start, length, position)).bytesRead,
    readNow: (target, start, length, position) =>
      readSync(descriptor, target, start, length, position),
    isAtItsPath() {
      const now = statSync(path, { throwIfNoEntry: false })
      return now !== undefined && versionOf(now) === version
    },
    close: () => closeDescriptor(descriptor),
  }
}

const versionOf = ({ dev, ino, size, mtimeMs }: Stats): string =>
  [dev, ino, size, mtimeMs].join(' ')

/** Fills `target` from `offset`; a file that ends earlier has been cut short. */
export async function readExactly(
  file: OpenFile,
  path: string,
  target: Uint8Array,
  offset: number,
): Promise<void> {
  for (let done = 0; done < target.byteLength;) {
    const length = Math.min(LARGEST_READ, target.byteLength - done)
    const bytesRead = await file.read(target, done, length, offset + done)
    if (bytesRead === 0) throw cutShort(path, offset + done, offset + target.byteLength)
    done += bytesRead
  }
}

/** The same, and nothing else happens until it is done. */
export function readExactlyNow(
  file: OpenFile,
  path: string,
  target: Uint8Array,
  offset: number,
): void {
  for (let done = 0; done < target.byteLength;) {
    const length = Math.min(LARGEST_READ, target.byteLength - done)
    const bytesRead = file.readNow(target, done, length, offset + done)
    if (bytesRead === 0) throw cutShort(path, offset + done, offset + target.byteLength)
    done += bytesRead
  }
}

/** One read call moves at most 2 GiB. */
const LARGEST_READ = 2 ** 30

const cutShort = (path: string, end: number, needed: number): TouchstoneError =>
  malformed(path, `the end of the file after ${end} bytes`, `at least ${needed} bytes`)

export async function readText(path: string, limit = SMALL_FILE_LIMIT): Promise<string> {
  const size = await fileSize(path)
  if (size > limit) throw notReadable(path, `it has ${size} bytes, where at most ${limit} are read`)
  const bytes = new Uint8Array(size)
  const file = await openForReading(path)
  try {
    await readExactly(file, path, bytes, 0)
  } finally {
    await file.close()
  }
  return decodeUtf8(bytes, path)
}

export const decodeUtf8 = (bytes: Uint8Array, path: string): string =>
  utf8(bytes, (found) => malformed(path, found, 'UTF-8 text'))

export async function readJson(path: string, limit = SMALL_FILE_LIMIT): Promise<JsonObject> {
  return parseJsonObject(await readText(path, limit), path)
}

export function parseJsonObject(text: string, path: string): JsonObject {
  if (text.trim() === '') throw malformed(path, 'an empty file', 'a JSON object')
  const parsed = parseJsonStrictly(text, (found, expected) => malformed(path, found, expected))
  if (!isJsonObject(parsed)) {
    throw malformed(path, 'JSON that is not an object', 'a JSON object')
  }
  return parsed
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
