/**
 * @file A cache of weights that had to be converted to float32 (ggml's blocks, reordered rows, transposed matrices), in the
 * user's cache folder, so that they can be mapped like float weights. The key of an entry is the model's digest and the
 * list of weights; incomplete or modified entries are rebuilt.
 */
import { sha256 } from '../../files/digest.ts'
import { rm, stat, utimes } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { cacheFolder } from '../../files/cache-folder.ts'
import {
  createTagging,
  makeKey,
  makeRoom,
  readKey,
  TAG_BYTES,
  writeEntry,
} from '../../files/kept-files.ts'
import type { WeightSpec } from '../architecture.ts'
import type { StoredWeight, WeightPlace } from './storage.ts'
import { MEBIBYTE, readExactly } from '../../files/read-file.ts'
import { elementsOf, openFiles, placeOf, readStored, type OpenFiles } from './stored-weights.ts'

export interface WeightCache {
  readonly folder: string
  /** Limit on all entries together. */
  readonly capacityBytes?: number
  /** Smaller sets are converted in memory. */
  readonly leastBytes?: number
  /** Called with the reason when weights are converted in memory instead. */
  readonly onProblem?: (why: string) => void
}

/** Two models of a billion parameters. */
const CAPACITY_BYTES = 8 * 2 ** 30
/** Below this, converting is faster than looking up and checking. */
const LEAST_BYTES = 64 * MEBIBYTE

/** Whether this many bytes of float32 are cached. */
export const isKept = (
  bytes: number,
  {
    capacityBytes = CAPACITY_BYTES,
    leastBytes = LEAST_BYTES,
  }: Pick<WeightCache, 'capacityBytes' | 'leastBytes'> = {},
): boolean => bytes >= leastBytes && bytes <= capacityBytes

export const weightCacheFolder = (): string => join(cacheFolder(), 'weights')

/** To be changed with the numbers or their layout. */
const VERSION = 'converted weights 1, F32'
const SUFFIX = '.f32'
const CHUNK = 8 * MEBIBYTE

export interface ConvertedWeights {
  place(name: string): WeightPlace | undefined
  read(name: string): Float32Array
  close(): Promise<void>
}

/** The weights one after another, then an authentication tag of all their bytes. */
interface Entry {
  readonly path: string
  readonly weights: readonly StoredWeight[]
  readonly bytes: number
}

type Wanted = readonly Pick<WeightSpec, 'name' | 'shape' | 'transposed' | 'stored'>[]
type Make = (name: string) => Float32Array

/**
 * @param digest of the model @param make converts a weight to the graph's form @returns undefined if the cache cannot be
 * used, after `onProblem`
 */
export async function openConverted(
  cache: WeightCache,
  digest: string,
  wanted: Wanted,
  make: Make,
): Promise<ConvertedWeights | undefined> {
  const { folder, capacityBytes = CAPACITY_BYTES } = cache
  const entry = entryOf(folder, digest, wanted)
  try {
    const found = await openEntry(folder, entry)
    if (found) return found
    const key = await makeKey(folder)
    const replaced = basename(entry.path)
    const bytes = capacityBytes - entry.bytes
    const bounds = { suffix: SUFFIX, bytes, openedAt: performance.timeOrigin, replaced }
    if (!(await makeRoom(folder, bounds))) throw new Error('what is in use leaves no room')
    await writeEntry(entry.path, piecesOf(entry, key, make))
    return await openEntry(folder, entry)
  } catch (error) {
    // If the model itself cannot be read, the next read reports it.
    cache.onProblem?.((error as Error).message)
    return undefined
  }
}

function entryOf(folder: string, digest: string, wanted: Wanted): Entry {
  const partsOf = ({ name, shape, transposed = false, stored = name }: Wanted[number]) =>
    [name, shape, transposed, stored] as const
  const what = JSON.stringify([VERSION, digest, wanted.map(partsOf)])
  const path = join(folder, `${sha256(what)}${SUFFIX}`)
  let offset = 0
  const weights = wanted.map(({ name, shape }): StoredWeight => {
    const bytes = 4 * elementsOf(shape)
    offset += bytes
    return { name, shape, storage: 'F32', file: path, offset: offset - bytes, bytes }
  })
  return { path, weights, bytes: offset + TAG_BYTES }
}

async function* piecesOf({ weights }: Entry, key: Uint8Array, make: Make) {
  const tagging = createTagging(key)
  for (const { name, bytes } of weights) {
    const { buffer, byteOffset, byteLength } = make(name)
    if (byteLength !== bytes) throw new Error(`internal: "${name}" has ${byteLength} bytes`)
    const piece = new Uint8Array(buffer, byteOffset, byteLength)
    tagging.add(piece)
    yield piece
  }
  yield tagging.tag()
}

/** Undefined if there is no entry, or an incomplete or modified one, which is deleted. */
async function openEntry(folder: string, entry: Entry): Promise<ConvertedWeights | undefined> {
  const { path, weights, bytes } = entry
  const key = await readKey(folder)
  const found = key && (await stat(path).catch(() => undefined))
  if (!found) return undefined
  // Marks it as used. The modification time stays, since open graphs detect changes by it.
  await utimes(path, new Date(), found.mtime).catch(() => undefined)
  const files = await openFiles([path])
  const isWhole = found.size === bytes && (await hasItsTag(files, entry, key))
  if (!isWhole) {
    await files.close()
    await rm(path, { force: true })
    return undefined
  }
  const byName = new Map(weights.map((weight) => [weight.name, weight]))
  return {
    place(name) {
      const weight = byName.get(name)
      return weight && placeOf(files, weight)
    },
    read: (name) => readStored(files, byName.get(name)!),
    close: () => files.close(),
  }
}

async function hasItsTag(
  files: OpenFiles,
  { path, bytes }: Entry,
  key: Uint8Array,
): Promise<boolean> {
  const tagging = createTagging(key)
  const file = files.file(path)
  const chunk = new Uint8Array(CHUNK)
  const end = bytes - TAG_BYTES
  for (let at = 0; at < end; at += CHUNK) {
    const part = chunk.subarray(0, Math.min(CHUNK, end - at))
    await readExactly(file, path, part, at)
    tagging.add(part)
  }
  const tag = new Uint8Array(TAG_BYTES)
  await readExactly(file, path, tag, end)
  return tagging.tag().equals(tag)
}
