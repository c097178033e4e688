/** @file The file format of a stored decomposition, and the buffer that it is read into; a large one is mapped. */
import { closeSync, fstatSync, futimesSync, openSync, readSync } from 'node:fs'
import { MOST_BYTES, TAG_BYTES, tagOf } from '../files/kept-files.ts'
import { addon } from '../native/load.ts'
import type { BaseParts } from './basis.ts'

/** Changes whenever the numbers would. */
const MAGIC = 'TSBASE02'
const HEADER_BYTES = 32
/** From here on mapping takes less time than copying: a buffer of this size is not in memory yet where it is used once. */
const MAPPED_BYTES = 16 * 2 ** 20

export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

/** The file up to its tag, in pieces: magic, m, n and whether `far` is present, then the numbers in native byte order. */
export function encodeParts(
  { singularValues, near, far }: BaseParts,
  [m, n]: readonly [number, number],
): Uint8Array[] {
  const header = new Uint8Array(HEADER_BYTES)
  header.set(new TextEncoder().encode(MAGIC))
  new Float64Array(header.buffer, 8).set([m, n, far ? 1 : 0])
  return [header, ...[singularValues, near, ...(far ? [far] : [])].map(bytesOf)]
}

/** A buffer reused for successive entries, each overwriting the last. */
export type Room = { buffer: ArrayBuffer }

/** Undefined unless `path` is a complete and unmodified entry for a weight `[m, n]`. The result may refer to `room`. */
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
  const numbers = (first: number, count: number) => new Float64Array(bytes.buffer, first, count)
  const [rows, columns, hasFar] = numbers(8, 3)
  if (m !== rows || n !== columns || (hasFar === 1) !== bytes.length > least) return undefined
  const near = HEADER_BYTES + 8 * p
  return {
    singularValues: numbers(HEADER_BYTES, p),
    near: numbers(near, p * p),
    far: hasFar === 1 ? numbers(near + 8 * p * p, p * q) : undefined,
  }
}

/** Reads the file and sets its time to now; undefined unless its size is one of `sizes`. */
function readInto(
  path: string,
  room: Room,
  sizes: readonly number[],
): Uint8Array<ArrayBuffer> | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return undefined
  }
  try {
    const { size } = fstatSync(file)
    if (!sizes.includes(size)) return undefined
    // Entries are replaced and removed, never written to or cut; should it be another one by now, its tag says so.
    const mapped = size < MAPPED_BYTES ? null : addon()?.mapFile(path, 0, size)
    if (mapped) {
      touch(file)
      return new Uint8Array(mapped)
    }
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
    // In a read-only folder nothing is evicted, so the time does not matter.
  }
}
