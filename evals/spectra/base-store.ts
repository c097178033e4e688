/**
 * @file Decompositions of base weights on disk, by a tag of the weight: computed once for every scan of that base.
 * An entry that cannot be read is computed again; a folder that cannot be written is done without.
 */
import { randomBytes } from 'node:crypto'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { baseSystem, type BaseSystem } from './basis.ts'
import { cacheFolder } from '../native/cache-folder.ts'
import { numerics } from '../native/load.ts'
import {
  bytesOf,
  encodeParts,
  makeKey,
  readEntry,
  readKey,
  tagOf,
  type Room,
} from './entry-file.ts'
import type { Matrix } from './matrix.ts'

export type BaseStore = {
  /** With `room`, what was found in it before is overwritten. */
  find: (W0: Matrix, room?: Room) => Promise<BaseSystem | undefined>
  save: (W0: Matrix, system: BaseSystem) => Promise<void>
  /** For a thread that opens the same store. */
  options: Omit<BaseStoreOptions, 'onProblem'>
  /** Says once that the folder cannot be used. */
  tell: (why: string) => void
}

export type BaseStoreOptions = {
  folder: string
  /** Upper bound on the entries together. */
  capacityBytes?: number
  /** What has been used since then is not evicted: now, if not given. Milliseconds since 1970. */
  openedAt?: number
  /** Told once, where the folder cannot be used. */
  onProblem?: (why: string) => void
}

/** Four models of SmolLM2-135M's size. */
export const CACHE_BYTES = 2 * 2 ** 30

const SUFFIX = '.base'

export const defaultCacheFolder = (...machine: Parameters<typeof cacheFolder>): string =>
  join(cacheFolder(...machine), 'spectra')

/** Evicts the least recently used first, but nothing used since it was opened: a scan visits every weight in turn. */
export function openBaseStore(options: BaseStoreOptions): BaseStore {
  const { folder, capacityBytes = CACHE_BYTES, openedAt = Date.now(), onProblem } = options
  let hasProblem = false
  let key: Uint8Array | undefined
  const tell = (why: string) => {
    if (!hasProblem) onProblem?.(why)
    hasProblem = true
  }
  return {
    options: { folder, capacityBytes, openedAt },
    tell,
    async find(W0, room = { buffer: new ArrayBuffer(0) }) {
      key ??= await readKey(folder)
      if (!key) return undefined
      const parts = readEntry(join(folder, fileOf(W0, key)), [W0.rows, W0.columns], key, room)
      return parts && baseSystem(W0, parts)
    },
    async save(W0, { parts }) {
      if (hasProblem) return
      let temporary: string | undefined
      try {
        key ??= await makeKey(folder)
        const file = fileOf(W0, key)
        const body = encodeParts(parts, [W0.rows, W0.columns])
        const pieces = [...body, tagOf(key, body)]
        const bytes = pieces.reduce((sum, { length }) => sum + length, 0)
        if (!(await makeRoom(folder, capacityBytes - bytes, openedAt, file))) return
        temporary = join(folder, `${file}.${randomBytes(4).toString('hex')}.tmp`)
        await writePieces(temporary, pieces)
        await rename(temporary, join(folder, file))
      } catch (error) {
        if (temporary) await rm(temporary, { force: true }).catch(() => undefined)
        tell((error as Error).message)
      }
    },
  }
}

async function writePieces(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    for (const piece of pieces) await file.writeFile(piece)
    // The kernel's own clock may lag behind.
    const now = new Date()
    await file.utimes(now, now)
  } finally {
    await file.close()
  }
}

/** A file's time goes through seconds in floating point. */
const TIME_ERROR_MS = 1

/** Removes entries, the oldest first, until `room` bytes hold the rest; false where what is in use leaves no room. */
async function makeRoom(
  folder: string,
  room: number,
  openedAt: number,
  replaced: string,
): Promise<boolean> {
  const names = (await readdir(folder)).filter((name) => /\.base(\.[0-9a-f]{8}\.tmp)?$/.test(name))
  const entries = await Promise.all(
    names.map(async (name) => {
      const found = await stat(join(folder, name)).catch(() => undefined)
      return { name, bytes: found?.size ?? 0, at: found?.mtimeMs ?? 0 }
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

function fileOf({ rows, columns, data }: Matrix, key: Uint8Array): string {
  const what = `${numerics().name} ${data.BYTES_PER_ELEMENT} ${rows} ${columns}\n`
  const tag = tagOf(key, [new TextEncoder().encode(what), bytesOf(data)])
  return `${tag.toString('hex')}${SUFFIX}`
}
