/**
 * @file Intruder dimensions (Shuttleworth et al. 2025): j among the top k of W1 is one where
 * c_j = max over ALL columns i of U0 of |⟨u1_j, u0_i⟩| < ε.
 *
 * The label means "not aligned with any single pretrained direction", not "outside their span": read c_j beside its
 * null distribution and `subspaceEnergies`.
 */
import type { Basis } from './basis.ts'
import type { Vectors } from './decomposition/matrix.ts'
import type { SingularSystem } from './decomposition/svd.ts'

/** As in the paper's code: the ten largest directions, and half a cosine. */
export const TOP_DIRECTIONS = 10
export const EPSILON = 0.5

type Intruders = {
  /** σ_j and c_j of W1's top directions, σ descending; fewer than k where W1 has no more rank. */
  singularValues: number[]
  alignment: number[]
  /** Which j have c_j < ε. */
  intruders: number[]
  /** Σ over intruders σ_j² / Σ over the top k σ_j²; 0 where W1 = 0. */
  energyShare: number
}

/** c_j of each of W1's vectors against the whole basis; signs do not matter. */
export function alignments(base: Basis, tuned: Vectors): number[] {
  return base.cosines(tuned).map(largestOf)
}

/** c of one direction from its cosines, which rounding may take beyond 1. */
export const largestOf = (cosines: Float64Array): number =>
  Math.min(
    1,
    cosines.reduce((best, x) => Math.max(best, x), 0),
  )

/** Which of W1's top k directions are intruders against the pretrained directions. */
export function findIntruders(
  base: Basis,
  tuned: Pick<SingularSystem, 'left' | 'singularValues' | 'rank'>,
  { k = TOP_DIRECTIONS, epsilon = EPSILON }: { k?: number; epsilon?: number } = {},
): Intruders {
  // A direction with σ = 0 is no direction of W1: any vector would do.
  const alignment = alignments(base, { ...tuned.left, count: Math.min(k, tuned.rank) })
  return intrudersOf(tuned.singularValues, alignment, epsilon)
}

/** The same from c_j; σ_j beyond them are left out. */
export function intrudersOf(values: Float64Array, alignment: number[], epsilon: number): Intruders {
  const singularValues = Array.from(values.subarray(0, alignment.length))
  const intruders = alignment.flatMap((c, j) => (c < epsilon ? [j] : []))
  // Relative to σ_1, so that no square can vanish or overflow.
  const energy = (js: readonly number[]) =>
    js.reduce((sum, j) => sum + (singularValues[j]! / singularValues[0]!) ** 2, 0)
  const total = energy(Array.from(singularValues.keys()))
  return {
    singularValues,
    alignment,
    intruders,
    energyShare: total > 0 ? energy(intruders) / total : 0,
  }
}

/** ‖U0[:, :q]ᵀ u_j‖²: how much of each vector lies in the span of the first q pretrained directions, however turned. */
export const subspaceEnergies = (base: Basis, tuned: Vectors, q: number): number[] =>
  base.cosines(tuned).map((cosines) => energyWithin(cosines, q))

export const energyWithin = (cosines: Float64Array, q: number): number =>
  cosines.subarray(0, q).reduce((sum, cosine) => sum + cosine * cosine, 0)
