/**
 * @file Models that are served: a base with its LoRA adapters in one batch, and fine-tunes that change more than low-rank
 * products each in a batch of its own.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { kindKey, kindOf, slotBytes, type Kind } from '../../inference/serving/adapter-slots.ts'
import { createBatcher, type Batcher } from '../../inference/serving/batcher.ts'
import { openPaged, type PagedSession } from '../../inference/serving/paged-session.ts'
import { cellBytes, createPool } from '../../inference/serving/pool.ts'
import type { ServedAdapter } from '../../inference/serving/residents.ts'
import type { OpenModel } from '../../models/checkpoint.ts'
import { peftDigest } from '../../models/formats/peft-folder.ts'
import { keptCache } from '../../inference/small-cache.ts'
import { cacheOf, isEncoder } from '../../models/registry.ts'
import { numbersIn, smallOf, type Precision } from '../../models/weights/small-weights.ts'
import type { Device } from '../../runtime/device.ts'
import { LONGEST, openBase, stateWith, type Base } from '../base.ts'
import { openCandidate } from '../candidate.ts'
import { openAdapterFile } from './adapter-file.ts'

/** What a model is asked through: the base's tokenizer and template, and a batch. */
export interface Lane {
  readonly open: Pick<OpenModel, 'tokenizer' | 'template'>
  readonly batcher: Batcher
  readonly maxPositions: number
  /** Replies that may wait; one request cannot ask for more. */
  readonly mostWaiting: number
  readonly session: PagedSession
}

export interface ServedModel {
  readonly name: string
  readonly lane: Lane
  /** Undefined for the base and for whole models. */
  readonly adapter?: ServedAdapter
  /** sha256 of its weights; for an adapter of the base's and its own. Fewer bits of keys and values are named beside it. */
  readonly fingerprint: string
}

export interface ServedModels {
  readonly models: ReadonlyMap<string, ServedModel>
  readonly base: string
  readonly lanes: readonly Lane[]
  /** Of one pool; every lane has one. */
  readonly cells: number
  /** Most bytes of what is held, by what it is. */
  readonly memory: {
    /** As they are computed with; the files themselves are mapped beside. */
    readonly weights: number
    readonly pools: number
    /** Copies of the adapters that stand side by side in a batch. */
    readonly batch: number
  }
  close(): Promise<void>
}

interface ServingOptions {
  readonly model: string
  readonly baseName: string
  /** With what keys and values are kept in. */
  readonly device: Device
  readonly adapters: readonly { readonly name: string; readonly path: string }[]
  /** Bytes of all pools together. */
  readonly poolBytes: number
  readonly rows: number
  readonly mostWaiting: number
  readonly firstTokenMs: number | null
  /** Of the base and the adapters beside it; fine-tunes that change more are in float32. */
  readonly basePrecision?: Precision
}

export async function openServed(options: ServingOptions): Promise<ServedModels> {
  const base = await openBase(options.model, options.device, 1, options.basePrecision)
  try {
    refuseOthers(base)
    return await open(base, options)
  } catch (error) {
    await base.open.close()
    throw error
  }
}

/** A graph of the checkpoint's own has its cache inside, and an encoder writes nothing. */
function refuseOthers({ model, path }: Base): void {
  if (!model.graph && !isEncoder(model)) return
  throw new TouchstoneError('checkpoint.unsupported', {
    path,
    what: 'for serving',
    found: model.graph ? 'a graph of its own' : 'an encoder',
    supported: 'models whose weights are given, as folders or GGUF files',
  })
}

async function open(base: Base, options: ServingOptions): Promise<ServedModels> {
  const { adapters, wholes } = await sorted(base, options.adapters)
  const cell = cellBytes(layersOf(base))
  const cells = Math.floor(options.poolBytes / (1 + wholes.length) / cell)
  const laneOf = (read: ((name: string) => Float32Array) | null, own: readonly Kind[]) =>
    openLane(base, read, own, cells, options)
  const kinds = [...new Set(adapters.map(({ kind }) => kind))]
  const lane = laneOf(null, kinds)
  const named = (digest: string) => [digest, base.device.cache ?? []].flat().join('-')
  const models: ServedModel[] = [{ name: options.baseName, lane, fingerprint: named(base.digest) }]
  for (const { path, ...adapter } of adapters) {
    const fingerprint = `${base.digest.slice(0, 16)}-${(await peftDigest(path)).slice(0, 16)}`
    models.push({ name: adapter.name, lane, adapter, fingerprint: named(fingerprint) })
  }
  for (const { name, path } of wholes) {
    const { weights, identity } = await openCandidate(base, path, name)
    const fingerprint = named(identity.adapterDigest ?? identity.weightsDigest)
    models.push({ name, lane: laneOf((each) => weights.read(each), []), fingerprint })
  }
  const lanes = [...new Set(models.map((each) => each.lane))]
  return {
    models: new Map(models.map((each) => [each.name, each])),
    base: options.baseName,
    lanes,
    cells,
    memory: {
      weights: keptBytes(base) + 4 * base.parameters * (lanes.length - 1),
      pools: cells * cell * lanes.length,
      batch: lane.session.readsCells ? 0 : besideBytes(kinds, options),
    },
    async close() {
      await Promise.all(lanes.map(({ batcher }) => batcher.close()))
      await Promise.all(lanes.map(({ session }) => session.release()))
      await base.open.close()
    },
  }
}

/** Adapters side by side: once for reading prompts, once for writing. */
const besideBytes = (kinds: readonly Kind[], { rows }: ServingOptions): number =>
  kinds.reduce((sum, kind) => sum + 2 * slotBytes(kind, rows), 0)

/** Of matrices in blocks what the file has, of all others float32. */
function keptBytes({ parameters, weights }: Base): number {
  const small = [...(smallOf(weights) ?? [])]
  return small.reduce(
    (sum, [name, { data }]) => sum + data.byteLength - 4 * numbersIn(weights, name)!,
    4 * parameters,
  )
}

const layersOf = ({ model, device }: Base) => keptCache(cacheOf(model), device.cache)

/** Adapters that stand in one batch, each with its kind, and all other fine-tunes. */
async function sorted(base: Base, given: ServingOptions['adapters']) {
  const layers = layersOf(base)
  const kinds = new Map<string, Kind>()
  const adapters: (ServedAdapter & { readonly path: string })[] = []
  const wholes: ServingOptions['adapters'][number][] = []
  for (const { name, path } of given) {
    const file = await openAdapterFile(base.model, path)
    if (!file) {
      wholes.push({ name, path })
      continue
    }
    const { ranks, load } = file
    const key = kindKey(ranks)
    const kind = kinds.get(key) ?? kindOf(ranks, base.model.weights, `stack${kinds.size}`, layers)
    kinds.set(key, kind)
    adapters.push({ name, path, kind, load })
  }
  return { adapters, wholes }
}

function openLane(
  base: Base,
  read: ((name: string) => Float32Array) | null,
  kinds: readonly Kind[],
  cells: number,
  { rows, mostWaiting, firstTokenMs }: ServingOptions,
): Lane {
  const { model, weights, device } = base
  const state = read ? stateWith(base, read) : { model, frozen: weights }
  const session = openPaged(state, kinds, device, LONGEST)
  const { tokenizer } = base.open
  const batcher = createBatcher({
    session,
    pool: createPool(session.cache, cells),
    kinds,
    threads: device.threads,
    limits: { cells, rows, promptTokens: LONGEST },
    endIds: new Set(tokenizer.endIds),
    padId: tokenizer.padId,
    mostWaiting,
    firstTokenMs,
    clock: () => performance.now(),
  })
  const { maxPositions } = session
  return { open: base.open, batcher, maxPositions, mostWaiting, session }
}
