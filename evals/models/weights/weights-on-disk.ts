/**
 * @file Weights that were made for a state, in a file beside the run while the state is asked. ONNX Runtime maps and packs them, so
 * that no second copy stands in memory; in arrays they would stand there until the state is closed.
 */
import { realpathSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { parse } from 'node:path'
import { OWNER_ALONE } from '../../files/private-file.ts'
import { MEBIBYTE, openForReading } from '../../files/read-file.ts'
import { LazyWeights, smallOf } from './small-weights.ts'
import type { StoredWeight } from './storage.ts'
import { mappedFloats, placeOf, readStored } from './stored-weights.ts'

/** Fewer bytes are not worth a file. */
const LEAST_BYTES = 64 * MEBIBYTE

type Weights = ReadonlyMap<string, Float32Array>

/** What is made, and by default from how many bytes on. */
interface Made {
  readonly names: Iterable<string>
  readonly make: (name: string) => Float32Array
  readonly leastBytes?: number
}

interface WeightsOnDisk {
  readonly weights: Weights
  /** Closes and deletes the file. */
  readonly remove: () => Promise<void>
}

/**
 * `base` with those `names` that `make` gives, one in memory at a time. Undefined where there are few, where the base itself is in
 * memory, or where no file can be written: then they are to be held in memory.
 */
export async function onDisk(
  base: Weights,
  { names, make, leastBytes = LEAST_BYTES }: Made,
  path: string,
): Promise<WeightsOnDisk | undefined> {
  if (!(base instanceof LazyWeights) || smallOf(base)) return undefined
  const { places } = base
  const [first] = places.values()
  const chosen = [...names]
  const bytes = chosen.reduce((sum, name) => sum + bytesOf(base, name), 0)
  if (!first || !(bytes >= leastBytes)) return undefined
  try {
    const stored = await written(path, chosen, make)
    // A graph reads files of one drive.
    if (driveOf(first.file) !== driveOf(path)) throw new Error('another drive')
    const own = await opened(path, stored)
    const read = (name: string) => own.read(name) ?? base.get(name)!
    const all = new Map([...places, ...own.places])
    const weights = new LazyWeights(base.keys(), new Map(), read, all)
    return { weights, remove: own.remove }
  } catch {
    await rm(path, { force: true }).catch(() => undefined)
    return undefined
  }
}

/** In float32; NaN of what the base lacks. */
function bytesOf(base: LazyWeights, name: string): number {
  const place = base.places.get(name)
  if (!place) return base.get(name)?.byteLength ?? NaN
  return place.storage === 'F32' ? place.bytes : 2 * place.bytes
}

const driveOf = (file: string): string => parse(realpathSync(file)).root

async function written(
  path: string,
  names: readonly string[],
  make: (name: string) => Float32Array,
): Promise<StoredWeight[]> {
  await rm(path, { force: true })
  const file = await open(path, 'wx', OWNER_ALONE)
  try {
    let offset = 0
    const stored: StoredWeight[] = []
    for (const name of names) {
      const { buffer, byteOffset, byteLength: bytes, length } = make(name)
      await file.writeFile(new Uint8Array(buffer, byteOffset, bytes))
      stored.push({ name, shape: [length], storage: 'F32', file: path, offset, bytes })
      offset += bytes
    }
    return stored
  } finally {
    await file.close()
  }
}

async function opened(path: string, stored: readonly StoredWeight[]) {
  const file = await openForReading(path)
  const files = { file: () => file, close: () => file.close() }
  const byName = new Map(stored.map((weight) => [weight.name, weight]))
  const places = new Map(stored.map((weight) => [weight.name, placeOf(files, weight)!]))
  return {
    places,
    read(name: string) {
      const weight = byName.get(name)
      return weight && (mappedFloats(places.get(name)!) ?? readStored(files, weight))
    },
    remove: async () => {
      await files.close()
      await rm(path, { force: true })
    },
  }
}
