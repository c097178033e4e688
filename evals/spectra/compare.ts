/** @file The spectrum of each weight after fine-tuning against the same weight before: one `SpectrumRow` a matrix and model. */
import { setImmediate } from 'node:timers/promises'
import type { SpectrumRow, SubjectKey } from '../contract/rows.ts'
import { TouchstoneError } from '../errors.ts'
import type { BaseStore } from './base-store.ts'
import { baseDirections, type BaseSystem } from './basis.ts'
import { detailsOf, directionsOf, wantsAll, type Detail, type Directions } from './directions.ts'
import { EPSILON, TOP_DIRECTIONS, intrudersOf, largestOf } from './intruders.ts'
import { leadingOfUpdate } from './low-rank-scan.ts'
import type { Matrix, Numbers } from './matrix.ts'
import { effectiveRank, frobeniusNorm } from './measures.ts'
import { nullDistribution } from './null-distribution.ts'
import { lowRankSingularValues, singularValues, type LowRankChange } from './partial-svd.ts'

/** Which matrix, as in a `SpectrumRow`: `weight` is the checkpoint's name, `module` its kind (`q_proj`). */
export type MatrixPlace = { layer: number; module: string; weight: string; shape: [number, number] }

/** How many directions are looked at, below which cosine one is an intruder, and how much else is measured. */
export type ScanRule = { k?: number; epsilon?: number; detail?: Detail }

type Compared = MatrixPlace & ScanRule & { key: SubjectKey; W0: Numbers }

export type Comparison = Compared & {
  W1: Numbers
  /** The directions of W0, where another comparison has found them. */
  base?: BaseSystem | undefined
  /** ΔW where an adapter knows it better than W1 − W0 does: rounding blurs the rank of a difference. */
  change?: LowRankChange | undefined
}

/** Compares one weight with its base. Throws `spectrum.not-finite`, `.other-shape` or `.zero-base`. */
export function compareWeight(comparison: Comparison): SpectrumRow {
  const { weight, shape, W0, W1, change } = comparison
  const base = comparison.base ?? baseDirections(asMatrix(shape, W0), weight)
  const found = quickly(comparison, base, change) ?? fully(comparison, base, W1)
  return rowOf(comparison, found, change ?? difference(comparison, W1))
}

/** In the base's own basis, where the change is a low-rank one and no more is asked of W1 than its first directions. */
function quickly(
  { shape, detail, k = TOP_DIRECTIONS }: Compared,
  base: BaseSystem,
  change: LowRankChange | undefined,
): Directions | undefined {
  return change && !wantsAll(shape, detail) ? leadingOfUpdate(base, change, k) : undefined
}

function fully(compared: Compared, base: BaseSystem, W1: Numbers): Directions {
  const { weight, shape, W0, detail, k = TOP_DIRECTIONS } = compared
  requireSameSize(compared, W1)
  const isUntouched = W1 === W0
  return directionsOf(base, asMatrix(shape, W1), { k, weight, detail, isUntouched })
}

function requireSameSize({ weight, shape, W0 }: Compared, W1: Numbers): void {
  if (W1.length === W0.length) return
  const expected = shape.join(' × ')
  throw new TouchstoneError('spectrum.other-shape', { weight, tuned: W1.length, base: expected })
}

function rowOf(
  compared: Compared,
  found: Directions,
  change: LowRankChange | Numbers,
): SpectrumRow {
  const { key, layer, module, weight, shape, W0 } = compared
  const { k = TOP_DIRECTIONS, epsilon = EPSILON } = compared
  const changed =
    'B' in change
      ? lowRankSingularValues(change, weight)
      : singularValues(asMatrix(shape, change), weight)
  const relativeChange = ratio(frobeniusNorm(changed), frobeniusNorm(W0), weight)
  const alignment = found.cosines.slice(0, k).map(largestOf)
  const intruders = intrudersOf(found.singularValues, alignment, epsilon)
  const chance = nullDistribution(shape[0], Math.min(...shape))
  return {
    ...key,
    layer,
    module,
    weight,
    shape,
    relativeChange,
    effectiveRankOfChange: effectiveRank(changed),
    singularValues: intruders.singularValues,
    alignment,
    nullP: alignment.map(chance.nullP),
    nullBand: chance.nullBand,
    epsilon,
    intruders: intruders.intruders.length,
    intruderEnergyShare: intruders.energyShare,
    details: detailsOf(found, changed, k),
  }
}

/** ‖ΔW‖_F / ‖W0‖_F; 0 where nothing changed. */
function ratio(change: number, base: number, weight: string): number {
  if (change > 0 && base === 0) throw new TouchstoneError('spectrum.zero-base', { weight })
  return change === 0 ? 0 : change / base
}

type Reader<T> = (weight: string) => T | Promise<T>
export type ReadWeight = Reader<Numbers>

/** One tuned model to scan; `readChange` gives an adapter's own ΔW where there is one. */
export type TunedModel = {
  key: SubjectKey
  read: ReadWeight
  readChange?: Reader<LowRankChange | undefined>
}

export type ScanOptions = ScanRule & {
  matrices: readonly MatrixPlace[]
  readBase: ReadWeight
  /** Scanned side by side, so that each base matrix is decomposed once for all of them. */
  tuned: readonly TunedModel[]
  /** Keeps decompositions for the next scan. */
  store?: BaseStore | undefined
  onProgress?: (progress: { done: number; total: number; weight: string }) => void
  signal?: AbortSignal
}

/**
 * Rows in the order of `matrices`, and for each in the order of `tuned`. Holds one base and one tuned matrix at a time,
 * and lets the event loop turn between two comparisons. A tuned weight that its change describes well enough is not read.
 */
export async function* scanModel(options: ScanOptions): AsyncGenerator<SpectrumRow> {
  const { matrices, readBase, tuned, store, onProgress, signal, k, epsilon, detail } = options
  const total = matrices.length * tuned.length
  let done = 0
  const turn = async () => {
    await setImmediate()
    signal?.throwIfAborted()
  }
  for (const place of matrices) {
    const { weight, shape } = place
    await turn()
    const W0 = await readBase(weight)
    const base = await baseOf(asMatrix(shape, W0), weight, store)
    for (const { key, read, readChange } of tuned) {
      await turn()
      const compared = { ...place, key, W0, k, epsilon, detail } as Compared
      const change = await readChange?.(weight)
      const quick = quickly(compared, base, change)
      const W1 = quick ? undefined : await read(weight)
      yield rowOf(
        compared,
        quick ?? fully(compared, base, W1!),
        change ?? difference(compared, W1!),
      )
      onProgress?.({ done: ++done, total, weight })
    }
  }
}

async function baseOf(W0: Matrix, weight: string, store?: BaseStore): Promise<BaseSystem> {
  const kept = await store?.find(W0)
  if (kept) return kept
  const base = baseDirections(W0, weight)
  await store?.save(W0, base)
  return base
}

const asMatrix = ([rows, columns]: [number, number], data: Numbers): Matrix => ({
  rows,
  columns,
  data,
})

function difference(compared: Compared, W1: Numbers): Float64Array {
  requireSameSize(compared, W1)
  const out = new Float64Array(W1)
  for (let i = 0; i < out.length; i++) out[i]! -= compared.W0[i]!
  return out
}
