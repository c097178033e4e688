/** @file The spectrum of each weight after fine-tuning against the same weight before: one `SpectrumRow` a matrix and model. */
import { setImmediate } from 'node:timers/promises'
import type { SpectrumRow, SubjectKey } from '../contract/rows.ts'
import { TouchstoneError } from '../errors.ts'
import { EPSILON, TOP_DIRECTIONS, findIntruders } from './intruders.ts'
import type { Matrix, Vectors } from './matrix.ts'
import { effectiveRank, relativeChange } from './measures.ts'
import { nullDistribution } from './null-distribution.ts'
import { leftSingular, singularValues } from './svd.ts'

/** A weight as the checkpoint gives it: row-major, `[out, in]`. */
export type Numbers = Float32Array | Float64Array

/** Which matrix, as in a `SpectrumRow`: `weight` is the checkpoint's name, `module` its kind (`q_proj`). */
export type MatrixPlace = { layer: number; module: string; weight: string; shape: [number, number] }

/** How many directions are looked at, and below which cosine one is an intruder. */
export type IntruderRule = { k?: number; epsilon?: number }

export type Comparison = MatrixPlace &
  IntruderRule & {
    key: SubjectKey
    W0: Numbers
    W1: Numbers
    /** All left singular vectors of W0, where another comparison has found them. */
    baseLeft?: Vectors | undefined
    /** ΔW where it is known better than by W1 − W0 (an adapter's s·B·A): rounding blurs the rank of a difference. */
    change?: Numbers
  }

/** Compares one weight with its base. Throws `spectrum.not-finite`, `.other-shape` or `.zero-base`. */
export function compareWeight(comparison: Comparison): SpectrumRow {
  const { key, layer, module, weight, shape, W0, W1 } = comparison
  const { k = TOP_DIRECTIONS, epsilon = EPSILON } = comparison
  if (W1.length !== W0.length) {
    const base = shape.join(' × ')
    throw new TouchstoneError('spectrum.other-shape', { weight, tuned: W1.length, base })
  }
  const base = comparison.baseLeft ?? baseDirections(weight, shape, W0)
  const tuned = leftSingular(asMatrix(shape, W1), { weight })
  const change = comparison.change ?? difference(W1, W0)
  const size = relativeChange(change, W0)
  if (!Number.isFinite(size)) throw new TouchstoneError('spectrum.zero-base', { weight })
  const found = findIntruders(base, tuned, { k, epsilon })
  const chance = nullDistribution(shape[0], Math.min(...shape))
  return {
    ...key,
    layer,
    module,
    weight,
    shape,
    relativeChange: size,
    effectiveRankOfChange: effectiveRank(singularValues(asMatrix(shape, change), weight)),
    singularValues: found.singularValues,
    alignment: found.alignment,
    nullP: found.alignment.map(chance.nullP),
    nullBand: chance.nullBand,
    epsilon,
    intruders: found.intruders.length,
    intruderEnergyShare: found.energyShare,
  }
}

/** All left singular vectors of a base weight: what every model tuned from it is compared with. */
export function baseDirections(weight: string, shape: [number, number], W0: Numbers): Vectors {
  return leftSingular(asMatrix(shape, W0), { weight }).left
}

/** Base directions kept from one scan for the next, by weight; one for each base model. */
export type BaseCache = { get: (weight: string) => Vectors | undefined; put: PutVectors }
type PutVectors = (weight: string, left: Vectors) => void

/**
 * Keeps what came first, up to `capacityBytes`, and evicts nothing: every scan visits the weights in the same order,
 * and then evicting the oldest would throw each one away just before it is wanted.
 */
export function createBaseCache(capacityBytes: number): BaseCache {
  const kept = new Map<string, Vectors>()
  let bytes = 0
  return {
    get: (weight) => kept.get(weight),
    put: (weight, left) => {
      const size = left.data.byteLength
      if (kept.has(weight) || bytes + size > capacityBytes) return
      kept.set(weight, left)
      bytes += size
    },
  }
}

type Reader<T> = (weight: string) => T | Promise<T>
export type ReadWeight = Reader<Numbers>

/** One tuned model to scan; `readChange` gives ΔW where an adapter knows it exactly. */
export type TunedModel = {
  key: SubjectKey
  read: ReadWeight
  readChange?: Reader<Numbers | undefined>
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
    const baseLeft = cache?.get(weight) ?? baseDirections(weight, shape, W0)
    cache?.put(weight, baseLeft)
    for (const { key, read, readChange } of tuned) {
      await turn()
      const W1 = await read(weight)
      const change = await readChange?.(weight)
      yield compareWeight({ ...place, key, W0, W1, baseLeft, change, k, epsilon })
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
