/**
 * @file Intruder dimensions (Shuttleworth et al. 2025): j among the top k of W1 is one where
 * c_j = max over ALL columns i of U0 of |⟨u1_j, u0_i⟩| < ε.
 *
 * The label means "not aligned with any single pretrained direction", not "outside their span": read c_j beside its
 * null distribution and `subspaceEnergy`.
 */
import { dot, vector, type Vectors } from './matrix.ts'
import type { SingularSystem } from './svd.ts'

/** As in the paper's code: the ten largest directions, and half a cosine. */
export const TOP_DIRECTIONS = 10
export const EPSILON = 0.5

export type Intruders = {
  /** σ_j and c_j of W1's top directions, σ descending; fewer than k where W1 has no more rank. */
  singularValues: number[]
  alignment: number[]
  /** Which j have c_j < ε. */
  intruders: number[]
  /** Σ over intruders σ_j² / Σ over the top k σ_j²; 0 where W1 = 0. */
  energyShare: number
}

/** c_j for the first `k` vectors of `tuned` against every vector of `base`; signs do not matter. */
export function alignments(base: Vectors, tuned: Vectors, k: number): number[] {
  return Array.from({ length: Math.min(k, tuned.count) }, (_, j) =>
    Math.min(
      1,
      cosines(base, vector(tuned, j)).reduce((best, x) => Math.max(best, x), 0),
    ),
  )
}

/** |⟨u, u0_i⟩| for every vector of `base`. */
export function cosines(base: Vectors, u: Float64Array): Float64Array {
  const { count, dimension, data } = base
  return Float64Array.from({ length: count }, (_, i) =>
    Math.abs(dot(u, 0, data, i * dimension, dimension)),
  )
}

/** Which of W1's top k directions are intruders against the left vectors of W0. */
export function findIntruders(
  base: Vectors,
  tuned: Pick<SingularSystem, 'left' | 'singularValues' | 'rank'>,
  { k = TOP_DIRECTIONS, epsilon = EPSILON }: { k?: number; epsilon?: number } = {},
): Intruders {
  // A direction with σ = 0 is no direction of W1: any vector would do.
  const alignment = alignments(base, tuned.left, Math.min(k, tuned.rank))
  const singularValues = Array.from(tuned.singularValues.subarray(0, alignment.length))
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

/** ‖U0[:, :q]ᵀ u‖²: how much of u lies in the span of the first q pretrained directions, however they are turned. */
export function subspaceEnergy(base: Vectors, u: Float64Array, q: number): number {
  return cosines(base, u)
    .subarray(0, q)
    .reduce((sum, cosine) => sum + cosine * cosine, 0)
}
