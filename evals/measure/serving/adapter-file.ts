/** @file LoRA adapters that share a batch, in their files: checked when they are opened, and then read without being parsed again. */
import { join } from 'node:path'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { exists, openForReading, readExactly } from '../../files/read-file.ts'
import type { Ranks } from '../../inference/serving/adapter-slots.ts'
import type { ServedAdapter } from '../../inference/serving/residents.ts'
import { canStack, type LowRankChanges } from '../../inference/stack.ts'
import { adaptedName, rankOf, scaleOf } from '../../models/formats/peft-config.ts'
import { ADAPTER_WEIGHTS, CONFIG_FILE, readPeftIndex } from '../../models/formats/peft-folder.ts'
import type { Model } from '../../models/registry.ts'
import { STORAGE_FORMATS } from '../../models/weights/dequantise.ts'
import type { StoredWeight } from '../../models/weights/storage.ts'
import { elementsOf } from '../../models/weights/stored-weights.ts'

interface AdapterFile {
  readonly ranks: Ranks
  readonly load: ServedAdapter['load']
}

type Place = Pick<StoredWeight, 'offset' | 'bytes' | 'storage' | 'shape'>

/** s·B·A on one weight, and where its matrices lie in the file. */
interface Piece {
  readonly weight: string
  readonly rank: number
  readonly scale: number
  readonly A: Place
  readonly B: Place
}

const PLAIN = /^(?<module>.+)\.lora_(?<part>[AB])\.weight$/u

/**
 * An adapter that can stand in a batch with others: B·A on linear layers of the base and nothing else. Undefined for any other
 * fine-tune, and for what is no adapter of this base, which opening it by itself says.
 */
export async function openAdapterFile(
  model: Model,
  folder: string,
): Promise<AdapterFile | undefined> {
  if (!(await exists(join(folder, CONFIG_FILE)))) return undefined
  const path = join(folder, ADAPTER_WEIGHTS)
  const pieces = await piecesOf(model, folder)
  const ranks = new Map(pieces?.map(({ weight, rank }) => [weight, rank]))
  if (!pieces || !canStack(model, ranks)) return undefined
  const { version, bytes } = await versionOf(path)
  return { ranks, load: (room) => readPieces(folder, { path, version, bytes }, room, pieces) }
}

async function piecesOf(model: Model, folder: string): Promise<readonly Piece[] | undefined> {
  const { config, weights, saved } = await readPeftIndex(folder)
  if (saved.size > 0) return undefined
  const pieces: Piece[] = []
  for (const name of weights.keys()) {
    const { module, part } = PLAIN.exec(name)?.groups ?? {}
    if (module === undefined) return undefined
    if (part !== 'A') continue
    const weight = `${module}.weight`
    const [out, columns] = model.weights.get(weight)?.shape ?? []
    const named = adaptedName(config, module)
    const [rank, scale] = [rankOf(config, named), scaleOf(config, named)]
    const [A, B] = [weights.get(name)!, weights.get(`${module}.lora_B.weight`)!]
    const isOfBase = A.shape.join() === `${rank},${columns}` && B.shape.join() === `${out},${rank}`
    if (!isOfBase) return undefined
    pieces.push({ weight, rank, scale, A: placeOf(A), B: placeOf(B) })
  }
  return pieces
}

const placeOf = ({ offset, bytes, storage, shape }: Place): Place => ({
  ...{ offset, bytes, storage, shape },
})

interface Version {
  readonly path: string
  readonly version: string
  readonly bytes: number
}

async function versionOf(path: string): Promise<Omit<Version, 'path'>> {
  const file = await openForReading(path)
  await file.close()
  return file
}

async function readPieces(
  folder: string,
  { path, version, bytes }: Version,
  room: (bytes: number) => Uint8Array,
  pieces: readonly Piece[],
): Promise<LowRankChanges> {
  const file = await openForReading(path)
  try {
    if (file.version !== version) throw refused(folder, 'it changed on disk')
    const all = room(bytes).subarray(0, bytes)
    await readExactly(file, path, all, 0)
    return new Map(
      pieces.map(({ weight, rank, scale, A, B }) => {
        const change = { rank, scale, A: numbersAt(all, A), B: numbersAt(all, B) }
        // A number that is not finite would spread to other requests of the batch.
        if (!areFinite(change.A) || !areFinite(change.B))
          throw refused(folder, 'it holds numbers that are not finite')
        return [weight, change]
      }),
    )
  } finally {
    await file.close()
  }
}

const refused = (path: string, why: string) => new TouchstoneError('serve.adapter', { path, why })

/** In float32; a view of the file's bytes where they are that and lie evenly. */
function numbersAt(all: Uint8Array, { offset, bytes, storage, shape }: Place): Float32Array {
  const own = all.subarray(offset, offset + bytes)
  const even = offset % Float64Array.BYTES_PER_ELEMENT === 0 ? own : own.slice()
  const count = elementsOf(shape)
  if (storage === 'F32') return new Float32Array(even.buffer, even.byteOffset, count)
  const numbers = new Float32Array(count)
  STORAGE_FORMATS[storage].decode(even, numbers)
  return numbers
}

/** 0·x is a number for finite x alone. */
function areFinite(numbers: Float32Array): boolean {
  let sum = 0
  for (let i = 0; i < numbers.length; i++) sum += 0 * numbers[i]!
  return sum === 0
}
