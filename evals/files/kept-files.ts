/**
 * @file Entries of a cache folder: written beside their place and renamed, known by a tag under a key of the folder's own, and
 * the least recently used gone first. A tag is GMAC: 128 bits at several times the speed of SHA-256, and nobody without the
 * key can make bytes that have another one's. What a crash left half-written is known by its tag, so nothing waits for a disk.
 */
import { createCipheriv, randomBytes } from 'node:crypto'
import { link, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateFolder } from './private-file.ts'

export const TAG_BYTES = 16
const KEY_BYTES = 16
/** No more than this is given to the cipher, or read, at once. */
export const MOST_BYTES = 2 ** 30

/** The folder's key; undefined where there is none yet. */
export async function readKey(folder: string): Promise<Uint8Array | undefined> {
  const key = await readFile(join(folder, 'key')).catch(() => undefined)
  return key?.length === KEY_BYTES ? key : undefined
}

/** The same, made where it is missing. Of several that make one at a time the first one's stays, for all of them. */
export async function makeKey(folder: string): Promise<Uint8Array> {
  const known = await readKey(folder)
  if (known) return known
  makePrivateFolder(folder)
  const place = join(folder, 'key')
  const temporary = `${place}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await writeFile(temporary, randomBytes(KEY_BYTES), { mode: 0o600 })
    // A link does not replace what another one has put there meanwhile.
    await link(temporary, place).catch(() => undefined)
    // What is no key, or lies where there are no links, is replaced.
    if (!(await readKey(folder))) await rename(temporary, place)
  } finally {
    await rm(temporary, { force: true })
  }
  const made = await readKey(folder)
  if (!made) throw new Error(`internal: ${folder} does not keep its key`)
  return made
}

interface Tagging {
  add(part: Uint8Array): void
  /** 16 bytes that stand for all parts, one after another. */
  tag(): Buffer
}

export function createTagging(key: Uint8Array): Tagging {
  const mac = createCipheriv('aes-128-gcm', key, new Uint8Array(12))
  return {
    add(part) {
      for (let at = 0; at < part.length; at += MOST_BYTES)
        mac.setAAD(part.subarray(at, at + MOST_BYTES))
    },
    tag() {
      mac.final()
      return mac.getAuthTag()
    },
  }
}

export function tagOf(key: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const tagging = createTagging(key)
  for (const part of parts) tagging.add(part)
  return tagging.tag()
}

type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** Whole or not at all: of two that write one entry at a time the second one's stays. */
export async function writeEntry(path: string, pieces: Pieces): Promise<void> {
  const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      for await (const piece of pieces) await file.writeFile(piece)
      // The kernel's own clock may lag behind.
      const now = new Date()
      await file.utimes(now, now)
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

/** A file's time goes through seconds in floating point. */
const TIME_ERROR_MS = 1

interface Bounds {
  /** What entries of this kind end with. */
  readonly suffix: string
  /** For the entries that stay. */
  readonly bytes: number
  /** What has been used since then stays: milliseconds since 1970. */
  readonly openedAt: number
  /** An entry that is about to be replaced. */
  readonly replaced: string
}

/** Removes entries, and what is half-written, the longest unused first; false where what is in use leaves no room. */
export async function makeRoom(
  folder: string,
  { suffix, bytes: room, openedAt, replaced }: Bounds,
): Promise<boolean> {
  const isTemporary = /\.[0-9a-f]{8}\.tmp$/u
  const names = (await readdir(folder)).filter((name) =>
    name.replace(isTemporary, '').endsWith(suffix),
  )
  const entries = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined)
      const at = Math.max(found?.atimeMs ?? 0, found?.mtimeMs ?? 0)
      return { name, bytes: found?.size ?? 0, at }
    }),
  )
  const others = entries.filter(({ name }) => name !== replaced).sort((a, b) => a.at - b.at)
  let total = others.reduce((sum, { bytes }) => sum + bytes, 0)
  for (const { name, bytes, at } of others) {
    if (total <= room || at >= openedAt - TIME_ERROR_MS) break
    await rm(join(folder, name), { force: true })
    total -= bytes
  }
  return total <= room
}
