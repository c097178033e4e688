/**
 * @file Compares the spectrum of each weight after fine-tuning with the base weight's: one `SpectrumRow` per matrix and model.
 */
import { setImmediate } from 'node:timers/promises'
import type { SpectrumRow, SubjectKey } from '../contract/rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { BaseStore } from './base-store.ts'
import { detailsOf, type Detail } from './directions.ts'
import { EPSILON, TOP_DIRECTIONS, intrudersOf, largestOf } from './intruders.ts'
import type { Numbers } from './decomposition/matrix.ts'
import type { Measured } from './measuring.ts'
import { effectiveRank } from './measures.ts'
import { nullDistribution } from './null-distribution.ts'
import type { LowRankChange } from './decomposition/partial-svd.ts'
import { freeMatrices } from './free-matrices.ts'
import { openLanes, thisMachine, threadsFor, type Lane } from './scan-lanes.ts'

/** A matrix, as in a `SpectrumRow`: `weight` is the checkpoint's name, `module` its kind (`q_proj`). */
export type MatrixPlace = { layer: number; module: string; weight: string; shape: [number, number] }

/** How many directions are compared, the cosine below which one is an intruder, and the amount of detail. */
type ScanRule = {
  k?: number
  epsilon?: number
  detail?: Detail
  /** Random updates for each matrix; 0 by default. */
  nullDraws?: number
}

export type Compared = MatrixPlace & ScanRule & { key: SubjectKey }

/** Throws `spectrum.zero-base` for a change of a base that is 0. */
export function rowOf(
  compared: Compared,
  { found, changed, nullIntruders, ...sizes }: Measured,
): SpectrumRow {
  const { key, layer, module, weight, shape } = compared
  const { k = TOP_DIRECTIONS, epsilon = EPSILON } = compared
  const alignment = found.cosines.slice(0, k).map(largestOf)
  const intruders = intrudersOf(found.singularValues, alignment, epsilon)
  const chance = nullDistribution(shape[0], Math.min(...shape))
  return {
    ...key,
    layer,
    module,
    weight,
    shape,
    relativeChange: ratio(sizes.sizeOfChange, sizes.sizeOfBase, weight),
    effectiveRankOfChange: changed ? effectiveRank(changed) : null,
    singularValues: intruders.singularValues,
    alignment,
    nullP: alignment.map(chance.nullP),
    nullBand: chance.nullBand,
    epsilon,
    intruders: intruders.intruders.length,
    intruderEnergyShare: intruders.energyShare,
    details: { ...detailsOf(found, changed, k), ...(nullIntruders && { nullIntruders }) },
  }
}

/** ‖ΔW‖_F / ‖W0‖_F; 0 if nothing changed. */
function ratio(change: number, base: number, weight: string): number {
  if (change > 0 && base === 0) throw new TouchstoneError('spectrum.zero-base', { weight })
  return change === 0 ? 0 : change / base
}

type Reader<T> = (weight: string) => T | Promise<T>
type ReadWeight = Reader<Numbers>

/** A tuned model to scan; `readChange` returns an adapter's own ΔW, if any. */
export type TunedModel = {
  key: SubjectKey
  read: ReadWeight
  readChange?: Reader<LowRankChange | undefined>
  /** False where it is known to have left a weight as it is; such a matrix is not read. */
  changes?: (weight: string) => boolean
}

export type ScanOptions = ScanRule & {
  matrices: readonly MatrixPlace[]
  readBase: ReadWeight
  /** Scanned together, so that each base matrix is decomposed once. */
  tuned: readonly TunedModel[]
  /** Caches decompositions for later scans. */
  store?: BaseStore | undefined
  /** Matrices scanned at a time; by default chosen from their sizes and the machine. */
  threads?: number
  onProgress?: (progress: { done: number; total: number; weight: string }) => void
  signal?: AbortSignal
}

/**
 * Yields rows in the order of `matrices`, and within each in the order of `tuned`. Each thread holds one base and one tuned
 * matrix at a time. The event loop runs between comparisons. A tuned weight is not read if its change suffices. What is unchanged
 * is not decomposed.
 */
export async function* scanModel(options: ScanOptions): AsyncGenerator<SpectrumRow> {
  const { matrices, store, signal } = options
  const isScanned = ({ weight }: MatrixPlace) => options.tuned.some((each) => touches(each, weight))
  const shapes = matrices.filter(isScanned).map(({ shape }) => shape)
  const { threads = threadsFor(shapes, thisMachine()) } = options
  const lanes = openLanes(threads, store)
  const total = matrices.length * options.tuned.length
  let done = 0
  const own = { ...options, freeing: createFreeing() }
  try {
    const scanned = inOrder(matrices, lanes, (place, lane) => scanMatrix(place, lane, own))
    for await (const rows of scanned) {
      for (const row of rows) {
        signal?.throwIfAborted()
        yield row
        options.onProgress?.({ done: ++done, total, weight: row.weight })
      }
    }
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()))
  }
}

type Freeing = { before: (shape: [number, number]) => void; after: (measured: Measured) => void }

/** Frees before a matrix what decomposing the ones before it left; where every base is kept there is nothing to free. */
function createFreeing(): Freeing {
  let isLeft = false
  return {
    before(shape) {
      if (isLeft) freeMatrices(shape)
      isLeft = false
    },
    after: ({ isDecomposed }) => void (isLeft ||= isDecomposed),
  }
}

const touches = ({ changes }: TunedModel, weight: string) => changes?.(weight) ?? true

async function scanMatrix(
  place: MatrixPlace,
  { measure }: Lane,
  options: ScanOptions & { freeing: Freeing },
): Promise<SpectrumRow[]> {
  const { readBase, tuned, signal, k = TOP_DIRECTIONS, epsilon = EPSILON, detail } = options
  const { nullDraws: draws = 0 } = options
  const { weight, shape } = place
  const turn = async () => {
    await setImmediate()
    signal?.throwIfAborted()
  }
  options.freeing.before(shape)
  await turn()
  const W0 = tuned.some((model) => touches(model, weight)) ? await readBase(weight) : undefined
  const rows: SpectrumRow[] = []
  let isSent = false
  for (const model of tuned) {
    const { key, read, readChange } = model
    await turn()
    const compared = { ...place, key, k, epsilon, detail }
    const change = touches(model, weight) ? await readChange?.(weight) : undefined
    const W1 = touches(model, weight) && !change ? await read(weight) : undefined
    const isChanged = change ?? (W1 && W0 && !areSame(W0, W1))
    if (!W0 || !isChanged) {
      rows.push(unchangedRow(compared))
      continue
    }
    const chance = draws > 0 ? { draws, epsilon, seed: key.seed } : undefined
    const task = { weight, shape, k, detail, change, chance, W1 }
    const found =
      (await measure(isSent ? task : { ...task, W0 })) ??
      (await measure({ ...task, W1: await read(weight) }))
    isSent = true
    options.freeing.after(found!)
    rows.push(rowOf(compared, found!))
  }
  return rows
}

/** Bit by bit. */
function areSame(a: Numbers, b: Numbers): boolean {
  if (a === b) return true
  const bytesOf = ({ buffer, byteOffset, byteLength }: Numbers) =>
    new Uint8Array(buffer, byteOffset, byteLength)
  return a.byteLength === b.byteLength && Buffer.compare(bytesOf(a), bytesOf(b)) === 0
}

function unchangedRow({ key, layer, module, weight, shape, epsilon = EPSILON }: Compared) {
  const { nullBand } = nullDistribution(shape[0], Math.min(...shape))
  return {
    ...{ ...key, layer, module, weight, shape, epsilon, nullBand },
    ...{ relativeChange: 0, effectiveRankOfChange: null, intruders: 0, intruderEnergyShare: 0 },
    ...{ singularValues: [], alignment: [], nullP: [], unchanged: true },
  } satisfies SpectrumRow
}

/** The results of `work` in the items' order. Each lane works on one item at a time, and none runs far ahead of the reader. */
async function* inOrder<T, R>(
  items: readonly T[],
  lanes: readonly Lane[],
  work: (item: T, lane: Lane) => Promise<R>,
): AsyncGenerator<R> {
  const free = [...lanes]
  const busy = new Set<Promise<unknown>>()
  const queue: Promise<R>[] = []
  for (const item of items) {
    while (free.length === 0) await Promise.race(busy)
    const lane = free.pop()!
    const job = work(item, lane)
    const ended = job.then(
      () => undefined,
      () => undefined,
    )
    busy.add(ended)
    void ended.then(() => {
      busy.delete(ended)
      free.push(lane)
    })
    queue.push(job)
    while (queue.length >= 2 * lanes.length - 1) yield await queue.shift()!
  }
  while (queue.length > 0) yield await queue.shift()!
}
