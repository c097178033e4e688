/**
 * @file A disk cache of base-weight decompositions, keyed by the weight's contents, so that each base is decomposed once. An
 * unreadable entry is computed again; with an unwritable folder the cache is not used.
 */
import { join } from 'node:path'
import { baseSystem, type BaseSystem } from './basis.ts'
import { cacheFolder } from '../files/cache-folder.ts'
import { makeKey, makeRoom, readKey, tagOf, writeEntry } from '../files/kept-files.ts'
import { numerics } from '../native/load.ts'
import { bytesOf, encodeParts, readEntry, type Room } from './entry-file.ts'
import type { Matrix } from './decomposition/matrix.ts'

export type BaseStore = {
  /** Reads into `room` if given, overwriting the previous entry. */
  find: (W0: Matrix, room?: Room) => Promise<BaseSystem | undefined>
  save: (W0: Matrix, system: BaseSystem) => Promise<void>
  /** Options for a thread that opens the same store. */
  options: Omit<BaseStoreOptions, 'onProblem'>
  /** Reports once that the folder cannot be used. */
  tell: (why: string) => void
}

export type BaseStoreOptions = {
  folder: string
  /** Limit on the total size of all entries. */
  capacityBytes?: number
  /** Entries used since then are not evicted; default now. Milliseconds since 1970. */
  openedAt?: number
  /** Called once if the folder cannot be used. */
  onProblem?: (why: string) => void
}

/** Four models of SmolLM2-135M's size. */
const CACHE_BYTES = 2 * 2 ** 30

const SUFFIX = '.base'

export const defaultCacheFolder = (...machine: Parameters<typeof cacheFolder>): string =>
  join(cacheFolder(...machine), 'spectra')

/**
 * Evicts the least recently used entries, but none used since the store was opened, because a scan visits every weight in turn.
 */
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
      try {
        key ??= await makeKey(folder)
        const file = fileOf(W0, key)
        const body = encodeParts(parts, [W0.rows, W0.columns])
        const pieces = [...body, tagOf(key, body)]
        const bytes = capacityBytes - pieces.reduce((sum, { length }) => sum + length, 0)
        const bounds = { suffix: SUFFIX, bytes, openedAt, replaced: file }
        if (await makeRoom(folder, bounds)) await writeEntry(join(folder, file), pieces)
      } catch (error) {
        tell((error as Error).message)
      }
    },
  }
}

function fileOf({ rows, columns, data }: Matrix, key: Uint8Array): string {
  const what = `${numerics().name} ${data.BYTES_PER_ELEMENT} ${rows} ${columns}\n`
  const tag = tagOf(key, [new TextEncoder().encode(what), bytesOf(data)])
  return `${tag.toString('hex')}${SUFFIX}`
}
