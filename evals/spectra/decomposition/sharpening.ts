/**
 * @file Refines the short side's vectors by products with the matrix itself, which squaring has not blurred (after Ogita and
 * Aishima 2018). The rows b_i = r_i T should be orthogonal; S = B Bᵀ gives the small rotations that make them so: R ← (I + X) R
 * with X_ij = S_ij / (S_ii − S_jj). Unlike Jacobi's, these are matrix products.
 */
import { gram, rowProducts, transposed } from './matrix.ts'
import { byLength, permutedRows } from './one-sided-jacobi.ts'
import type { ShortSide } from './short-side.ts'

/** Larger rotations occur between nearly equal σ, for which the quotient is meaningless. */
const LARGEST_TURN = 0.05
/** Largest deviation of an element of R Rᵀ from the identity. */
const ROUNDING = 1e-13
const MOST_CORRECTIONS = 4

export interface Turned {
  /** Descending `[p]`. */
  readonly σ: Float64Array
  /** The short side's vectors as rows `[p, p]`. */
  readonly vectors: Float64Array
}

/** One step from orthonormal rows R `[p, p]` near eigenvectors of T Tᵀ; undefined if the result is not orthonormal. */
export function sharpened(
  R: Float64Array,
  { p, q, transposed: other }: Pick<ShortSide, 'p' | 'q' | 'transposed'>,
): Turned | undefined {
  const T = other()
  const S = gram(rowProducts(R, p, T, q, p), p, q)
  const turned = rowProducts(turnsOf(S, p), p, transposed(R, p, p), p, p)
  turned.forEach((x, at) => (turned[at] = x + R[at]!))
  const vectors = orthonormal(turned, p)
  if (!vectors) return undefined
  const { lengths, order } = byLength(rowProducts(vectors, p, T, q, p), p)
  const σ = Float64Array.from(order, (i) => lengths[i]!)
  return { σ, vectors: permutedRows(vectors, order, p) }
}

/** X `[p, p]`, antisymmetric. */
function turnsOf(S: Float64Array, p: number): Float64Array {
  const X = new Float64Array(p * p)
  for (let i = 0; i < p; i++) {
    for (let j = 0; j < i; j++) {
      const turn = S[i * p + j]! / (S[i * p + i]! - S[j * p + j]!)
      if (!(Math.abs(turn) < LARGEST_TURN)) continue
      X[i * p + j] = turn
      X[j * p + i] = -turn
    }
  }
  return X
}

/** R ← (3 I − R Rᵀ) R / 2, which squares the error (Newton and Schulz). */
function orthonormal(R: Float64Array, p: number): Float64Array | undefined {
  for (let step = 0; step <= MOST_CORRECTIONS; step++) {
    const G = gram(R, p, p)
    let amiss = 0
    for (let i = 0; i < p; i++) {
      for (let j = 0; j < p; j++) {
        const one = i === j ? 1 : 0
        amiss = Math.max(amiss, Math.abs(G[i * p + j]! - one))
        G[i * p + j] = (3 * one - G[i * p + j]!) / 2
      }
    }
    if (amiss < ROUNDING) return R
    if (!(amiss < 0.5)) return undefined
    R = rowProducts(G, p, transposed(R, p, p), p, p)
  }
  return undefined
}
