/** @file Arithmetic implemented in C++ (the addon) and in TypeScript (fallback.ts). */

import type { Bands } from './sturm.ts'

/** λ `[p]`, descending, and the eigenvectors as rows `[p, p]`. */
export interface Eigen {
  readonly values: Float64Array
  readonly vectors: Float64Array
}

/** Float32 vectors of one length; `gradient` is only read. */
export interface AdamWVectors {
  readonly parameters: Float32Array
  readonly firstMoment: Float32Array
  readonly secondMoment: Float32Array
  readonly gradient: Float32Array
}

/** A range of the vectors: θ is first multiplied by `keep` = 1 − η·λ, then moved by `stepSize` = η / (1 − β1ᵗ). */
export interface AdamWRun {
  readonly start: number
  readonly end: number
  readonly keep: number
  readonly stepSize: number
}

export interface AdamWScalars {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  /** √(1 − β2ᵗ). */
  readonly rootCorrection2: number
  /** Multiplies every gradient. */
  readonly gradientScale: number
}

type Widen = (halves: Uint16Array, out: Float32Array) => void
export type Narrow = (values: Float32Array, out: Uint16Array) => void

export interface Conversions {
  /** Writes to `out`, of the same length. Exact, with one quiet NaN: the same bits from every implementation. */
  readonly widenFloat16: Widen
  readonly widenBfloat16: Widen
  /** Rounds to nearest, ties to even; `values` are finite and in range. The same bits from every implementation. */
  readonly narrowFloat16: Narrow
  readonly narrowBfloat16: Narrow
}

/**
 * Functions on long vectors return promises, because C++ runs them in threads. Functions on matrices are synchronous:
 * decompositions run in worker threads (scan-lanes.ts).
 */
export interface Numerics extends Conversions {
  /** Identifies the implementation: matrix results of two names may differ in the last bits. */
  readonly name: string
  /** Σ x² in float64, in a specified order of summation: the same bits from every implementation. */
  squaredNorm(values: Float32Array): Promise<number>
  /** One update in place. Arithmetic in float64, rounded once when stored: the same bits from every implementation. */
  adamW(vectors: AdamWVectors, runs: readonly AdamWRun[], scalars: AdamWScalars): Promise<void>
  /** A Bᵀ `[p, q]` of A `[p, width]` and B `[q, width]`. With `half`, blocks above the diagonal may stay unfilled. */
  rowProducts(
    A: Float64Array,
    p: number,
    B: Float64Array,
    q: number,
    width: number,
    half?: boolean,
  ): Float64Array
  /** Writes X x to the first p elements of `out`, for X `[p, x.length]`. */
  multiply(out: Float64Array, X: Float64Array, x: Float64Array, p: number): void
  /** x += factor · Σ_i y_i X_i over the first `count` rows of X `[…, x.length]`. */
  addRows(x: Float64Array, factor: number, y: Float64Array, X: Float64Array, count: number): void
  /** Y W `[r, n]` of Y `[r, m]` and W `[m, n]`; if `transposed`, Y Wᵀ `[r, m]` of Y `[r, n]`. */
  throughWeight(
    Y: Float64Array,
    r: number,
    W: Float32Array | Float64Array,
    m: number,
    n: number,
    transposed: boolean,
  ): Float64Array
  /**
   * Projects x onto the complement of the first `count` rows of `basis` (orthonormal), normalises it, and returns its length
   * before normalising.
   */
  orthogonalise(x: Float64Array, basis: Float64Array, count: number): number
  /** The `k` largest eigenvalues of T except the first `from`, descending; `bound` ≥ every |λ|. */
  tridiagonalValues(T: Bands, bound: number, k: number, from: number): Float64Array
  /** G = Rᵀ diag(λ) R for a symmetric G `[p, p]`. */
  symmetricEigen(G: Float64Array, p: number): Eigen
}
