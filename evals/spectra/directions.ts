/**
 * @file The singular directions of a tuned weight compared with its base, all or the leading ones, and measures derived from
 * them.
 */
import type { SpectrumDetails } from '../contract/rows.ts'
import type { BaseSystem } from './basis.ts'
import { energyWithin, largestOf } from './intruders.ts'
import { leadingByProducts } from './decomposition/leading-products.ts'
import type { Matrix } from './decomposition/matrix.ts'
import { frobeniusNorm, stableRank } from './measures.ts'
import { leadingLeft } from './decomposition/partial-svd.ts'
import { powerLawOfSpectrum } from './power-law.ts'
import { leftSingular } from './decomposition/svd.ts'

export const DETAILS = ['auto', 'leading', 'full'] as const
/** `leading`: the first k directions. `full`: all. `auto`: all if cheap. */
export type Detail = (typeof DETAILS)[number]

/** Up to this short side a full decomposition takes a few hundredths of a second. */
const CHEAP = 256
const SIMILAR = 10

export const wantsAll = (shape: readonly [number, number], detail: Detail = 'auto'): boolean =>
  detail === 'full' || (detail === 'auto' && Math.min(...shape) <= CHEAP)

/** The directions of W1 with σ > 0, σ descending. */
export type Directions = {
  singularValues: Float64Array
  /** |⟨u1_j, u0_i⟩| over all i, for each j. */
  cosines: readonly Float64Array[]
  /** Σ σ² over all of W1. */
  energy: number
  /** Whether these are all directions of W1. */
  isAll?: boolean
}

type DirectionsOptions = {
  k: number
  weight: string
  detail?: Detail | undefined
}

export function directionsOf(base: BaseSystem, W1: Matrix, options: DirectionsOptions): Directions {
  const { k, weight, detail } = options
  const isAll = wantsAll(base.shape, detail)
  const tuned = isAll
    ? leftSingular(W1, { weight })
    : (leadingByProducts(W1, k, weight) ?? leadingLeft(W1, k, weight))
  const count = isAll ? tuned.rank : Math.min(k, tuned.rank)
  return {
    singularValues: tuned.singularValues.slice(0, count),
    cosines: base.cosines({ ...tuned.left, count }),
    energy: frobeniusNorm(W1.data) ** 2,
    isAll,
  }
}

/** `changed`: the singular values of ΔW, if known. */
export function detailsOf(
  found: Directions,
  changed: Float64Array | undefined,
  k: number,
): SpectrumDetails {
  const { singularValues, cosines, energy, isAll = false } = found
  const largest = singularValues[0] ?? 0
  const first = cosines.slice(0, k)
  return {
    stableRank: largest > 0 ? energy / largest ** 2 : null,
    stableRankOfChange: changed ? stableRank(changed) : null,
    subspace: k,
    subspaceEnergy: first.map((each) => rounded(Math.min(1, energyWithin(each, k)))),
    profile: isAll ? cosines.map((each) => rounded(largestOf(each))) : null,
    similarity: isAll
      ? cosines.slice(0, SIMILAR).map((each) => Array.from(each.subarray(0, SIMILAR), rounded))
      : null,
    powerLaw: isAll ? powerLawOfSpectrum(singularValues) : null,
  }
}

/** Rounded, because there are many of these numbers and they are only displayed. */
const rounded = (x: number): number => Math.round(x * 1e5) / 1e5
