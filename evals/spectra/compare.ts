/** @file The spectrum of each weight after fine-tuning against the same weight before: one `SpectrumRow` a matrix and model. */
import { setImmediate } from 'node:timers/promises'
import type { SpectrumRow, SubjectKey } from '../contract/rows.ts'
import { TouchstoneError } from '../errors.ts'
import { baseDirections, type Basis } from './basis.ts'
import { EPSILON, TOP_DIRECTIONS, findIntruders } from './intruders.ts'
import type { Matrix, Numbers } from './matrix.ts'
import { effectiveRank, frobeniusNorm } from './measures.ts'
import { nullDistribution } from './null-distribution.ts'
import {
  leadingLeft,
  lowRankSingularValues,
  singularValues,
  type LowRankChange,
} from './partial-svd.ts'

/** Which matrix, as in a `SpectrumRow`: `weight` is the checkpoint's name, `module` its kind (`q_proj`). */
export type MatrixPlace = { layer: number; module: string; weight: string; shape: [number, number] }

/** How many directions are looked at, and below which cosine one is an intruder. */
export type IntruderRule = { k?: number; epsilon?: number }

export type Comparison = MatrixPlace &
  IntruderRule & {
    key: SubjectKey
    W0: Numbers
    W1: Numbers
    /** The directions of W0, where another comparison has found them. */
    base?: Basis | undefined
    /** ΔW where an adapter knows it better than W1 − W0 does: rounding blurs the rank of a difference. */
    change?: LowRankChange | undefined
  }

/** Compares one weight with its base. Throws `spectrum.not-finite`, `.other-shape` or `.zero-base`. */
export function compareWeight(comparison: Comparison): SpectrumRow {
  const { key, layer, module, weight, shape, W0, W1 } = comparison
  const { k = TOP_DIRECTIONS, epsilon = EPSILON } = comparison
  if (W1.length !== W0.length) {
    const expected = shape.join(' × ')
    throw new TouchstoneError('spectrum.other-shape', { weight, tuned: W1.length, base: expected })
  }
  const base = comparison.base ?? baseDirections(asMatrix(shape, W0), weight)
  const tuned = leadingLeft(asMatrix(shape, W1), k, weight)
  const change = comparison.change
    ? lowRankSingularValues(comparison.change, weight)
    : singularValues(asMatrix(shape, difference(W1, W0)), weight)
  const relativeChange = ratio(frobeniusNorm(change), frobeniusNorm(W0), weight)
  const found = findIntruders(base, tuned, { k, epsilon })
  const chance = nullDistribution(shape[0], Math.min(...shape))
  return {
    ...key,
    layer,
    module,
    weight,
    shape,
    relativeChange,
    effectiveRankOfChange: effectiveRank(change),
    singularValues: found.singularValues,
    alignment: found.alignment,
    nullP: found.alignment.map(chance.nullP),
    nullBand: chance.nullBand,
    epsilon,
    intruders: found.intruders.length,
    intruderEnergyShare: found.energyShare,
  }
}

/** ‖ΔW‖_F / ‖W0‖_F; 0 where nothing changed. */
function ratio(change: number, base: number, weight: string): number {
  if (change > 0 && base === 0) throw new TouchstoneError('spectrum.zero-base', { weight })
  return change === 0 ? 0 : change / base
}

/** Base directions kept from one scan for the next, by weight; one for each base model. */
export type BaseCache = { get: (weight: string) => Basis | undefined; put: PutBasis }
type PutBasis = (weight: string, basis: Basis) => void

/**
 * Keeps what came first, up to `capacityBytes`, and evicts nothing: every scan visits the weights in the same order,
 * and then evicting the oldest would throw each one away just before it is wanted.
 */
export function createBaseCache(capacityBytes: number): BaseCache {
  const kept = new Map<string, Basis>()
  let bytes = 0
  return {
    get: (weight) => kept.get(weight),
    put: (weight, basis) => {
      if (kept.has(weight) || bytes + basis.bytes > capacityBytes) return
      kept.set(weight, basis)
      bytes += basis.bytes
    },
  }
}

type Reader<T> = (weight: string) => T | Promise<T>
export type ReadWeight = Reader<Numbers>

/** One tuned model to scan; `readChange` gives an adapter's own ΔW where there is one. */
export type TunedModel = {
  key: SubjectKey
  read: ReadWeight
  readChange?: Reader<LowRankChange | undefined>
}

export type ScanOptions = IntruderRule & {
  matrices: readonly MatrixPlace[]
  readBase: ReadWeight
  /** Scanned side by side, so that each base matrix is decomposed once for all of them. */
  tuned: readonly TunedModel[]
  cache?: BaseCache
  onProgress?: (progress: { done: number; total: number; weight: string }) => void
  signal?: AbortSignal
}

/**
 * Rows in the order of `matrices`, and for each in the order of `tuned`. Holds one base and one tuned matrix at a time
 * beside the cache, and lets the event loop turn between two decompositions.
 */
export async function* scanModel(options: ScanOptions): AsyncGenerator<SpectrumRow> {
  const { matrices, readBase, tuned, cache, onProgress, signal, k, epsilon } = options
  const total = matrices.length * tuned.length
  let done = 0
  for (const place of matrices) {
    const { weight, shape } = place
    const turn = async () => {
      await setImmediate()
      signal?.throwIfAborted()
    }
    await turn()
    const W0 = await readBase(weight)
    const base = cache?.get(weight) ?? baseDirections(asMatrix(shape, W0), weight)
    cache?.put(weight, base)
    for (const { key, read, readChange } of tuned) {
      await turn()
      const W1 = await read(weight)
      const change = await readChange?.(weight)
      yield compareWeight({ ...place, key, W0, W1, base, change, k, epsilon })
      onProgress?.({ done: ++done, total, weight })
    }
  }
}

const asMatrix = ([rows, columns]: [number, number], data: Numbers): Matrix => ({
  rows,
  columns,
  data,
})

function difference(W1: Numbers, W0: Numbers): Float64Array {
  const out = new Float64Array(W1)
  for (let i = 0; i < out.length; i++) out[i]! -= W0[i]!
  return out
}
