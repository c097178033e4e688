/**
 * @file The bytes of a kept decomposition, and the tags by which weights and entries are known. A tag is GMAC under a key of
 * the folder's own: 128 bits at several times the speed of SHA-256, and no weight can be made to have another one's.
 */
import { createCipheriv, randomBytes } from 'node:crypto'
import { closeSync, fstatSync, futimesSync, openSync, readSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BaseParts } from './basis.ts'

/** Changes with whatever changes the numbers. */
const MAGIC = 'TSBASE02'
const HEADER_BYTES = 32
const TAG_BYTES = 16
const KEY_BYTES = 16
/** No more than this is given to the cipher at once. */
const MOST_BYTES = 2 ** 30

/** The folder's key; undefined where there is none yet. */
export async function readKey(folder: string): Promise<Uint8Array | undefined> {
  const key = await readFile(join(folder, 'key')).catch(() => undefined)
  return key?.length === KEY_BYTES ? key : undefined
}

/** The same, made where it is missing. Of two that make one at a time the second one's stays, and the first one's entries are lost. */
export async function makeKey(folder: string): Promise<Uint8Array> {
  const known = await readKey(folder)
  if (known) return known
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const temporary = join(folder, `key.${randomBytes(4).toString('hex')}.tmp`)
  await writeFile(temporary, randomBytes(KEY_BYTES), { mode: 0o600 })
  await rename(temporary, join(folder, 'key'))
  const made = await readKey(folder)
  if (!made) throw new Error(`internal: ${folder} does not keep its key`)
  return made
}

/** 16 bytes that stand for `parts`, one after another. */
export function tagOf(key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const mac = createCipheriv('aes-128-gcm', key, new Uint8Array(12))
  for (const part of parts) {
    for (let at = 0; at < part.length; at += MOST_BYTES) {
      mac.setAAD(part.subarray(at, at + MOST_BYTES))
    }
  }
  mac.final()
  return mac.getAuthTag()
}

export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** What precedes the tag, in pieces: magic, m, n and whether `far` is there, then the numbers in the machine's order. */
export function encodeParts(
  { singularValues, near, far }: BaseParts,
  [m, n]: readonly [number, number],
): Uint8Array[] {
  const header = new Uint8Array(HEADER_BYTES)
  header.set(new TextEncoder().encode(MAGIC))
  new Float64Array(header.buffer, 8).set([m, n, far ? 1 : 0])
  return [header, ...[singularValues, near, ...(far ? [far] : [])].map(bytesOf)]
}

/** Memory that one entry after another is read into: what was read before is gone. */
export type Room = { buffer: ArrayBuffer }

/** Undefined where `path` is not an entry for a weight `[m, n]`, whole and unchanged. What is read lies in `room`. */
export function readEntry(
  path: string,
  [m, n]: readonly [number, number],
  key: Uint8Array,
  room: Room,
): BaseParts | undefined {
  const [p, q] = [Math.min(m, n), Math.max(m, n)]
  const least = HEADER_BYTES + 8 * (p + p * p) + TAG_BYTES
  const bytes = readInto(path, room, [least, least + 8 * p * q])
  if (!bytes) return undefined
  const body = bytes.subarray(0, bytes.length - TAG_BYTES)
  if (!tagOf(key, [body]).equals(bytes.subarray(body.length))) return undefined
  if (new TextDecoder().decode(body.slice(0, MAGIC.length)) !== MAGIC) return undefined
  const numbers = (first: number, count: number) => new Float64Array(room.buffer, first, count)
  const [rows, columns, hasFar] = numbers(8, 3)
  if (m !== rows || n !== columns || (hasFar === 1) !== bytes.length > least) return undefined
  const near = HEADER_BYTES + 8 * p
  return {
    singularValues: numbers(HEADER_BYTES, p),
    near: numbers(near, p * p),
    far: hasFar === 1 ? numbers(near + 8 * p * p, p * q) : undefined,
  }
}

/** The file's bytes, and its time set to now; undefined where it has none of the `sizes`. */
function readInto(path: string, room: Room, sizes: readonly number[]): Uint8Array | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return undefined
  }
  try {
    const { size } = fstatSync(file)
    if (!sizes.includes(size)) return undefined
    if (room.buffer.byteLength < size) room.buffer = new ArrayBuffer(size)
    const bytes = new Uint8Array(room.buffer, 0, size)
    for (let at = 0; at < size;) {
      const count = readSync(file, bytes, at, Math.min(size - at, MOST_BYTES), at)
      if (count === 0) return undefined
      at += count
    }
    touch(file)
    return bytes
  } catch {
    return undefined
  } finally {
    closeSync(file)
  }
}

function touch(file: number): void {
  const now = new Date()
  try {
    futimesSync(file, now, now)
  } catch {
    // Of a folder that may only be read nothing is evicted.
  }
}
