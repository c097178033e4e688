/**
 * @file Intruder dimensions (Shuttleworth et al. 2025): j among the top k of W1 with
 * c_j = max over ALL columns i of U0 of |⟨u1_j, u0_i⟩| < ε.
 *
 * An intruder is not aligned with any single pretrained direction, but may lie in the span of several. Interpret c_j together
 * with its null distribution and `energyWithin`.
 */
import type { Basis } from './basis.ts'
import type { Vectors } from './decomposition/matrix.ts'
import type { SingularSystem } from './decomposition/svd.ts'

/** As in the paper's code: the ten leading directions, and a cosine of ½. */
export const TOP_DIRECTIONS = 10
export const EPSILON = 0.5

type Intruders = {
  /** σ_j and c_j of W1's leading directions, σ descending; fewer than k if W1 has a lower rank. */
  singularValues: number[]
  alignment: number[]
  /** The j with c_j < ε. */
  intruders: number[]
  /** Σ over intruders σ_j² / Σ over the top k σ_j²; 0 if W1 = 0. */
  energyShare: number
}

/** c_j of each of W1's vectors against the whole basis; independent of signs. */
export function alignments(base: Basis, tuned: Vectors): number[] {
  return base.cosines(tuned).map(largestOf)
}

/** c of one direction from its cosines, limited to 1 against rounding. */
export const largestOf = (cosines: Float64Array): number =>
  Math.min(
    1,
    cosines.reduce((best, x) => Math.max(best, x), 0),
  )

/** The intruders among W1's top k directions. */
export function findIntruders(
  base: Basis,
  tuned: Pick<SingularSystem, 'left' | 'singularValues' | 'rank'>,
  { k = TOP_DIRECTIONS, epsilon = EPSILON }: { k?: number; epsilon?: number } = {},
): Intruders {
  // A direction with σ = 0 is arbitrary.
  const alignment = alignments(base, { ...tuned.left, count: Math.min(k, tuned.rank) })
  return intrudersOf(tuned.singularValues, alignment, epsilon)
}

/** Intruders from c_j; σ_j beyond them are ignored. */
export function intrudersOf(values: Float64Array, alignment: number[], epsilon: number): Intruders {
  const singularValues = Array.from(values.subarray(0, alignment.length))
  const intruders = alignment.flatMap((c, j) => (c < epsilon ? [j] : []))
  // Relative to σ_1, so that no square underflows or overflows.
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

/** ‖U0[:, :q]ᵀ u_j‖²: the share of a vector in the span of the first q pretrained directions. */
export const energyWithin = (cosines: Float64Array, q: number): number =>
  cosines.subarray(0, q).reduce((sum, cosine) => sum + cosine * cosine, 0)
