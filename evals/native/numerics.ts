/** @file The arithmetic that is done in C++ where the addon is built, and in TypeScript (fallback.ts) where it is not. */

import type { Bands } from './sturm.ts'

/** λ descending `[p]`, and the eigenvectors as rows `[p, p]`. */
export interface Eigen {
  readonly values: Float64Array
  readonly vectors: Float64Array
}

/** Four float32 vectors of one length, of which the last is only read. */
export interface AdamWVectors {
  readonly parameters: Float32Array
  readonly firstMoment: Float32Array
  readonly secondMoment: Float32Array
  readonly gradient: Float32Array
}

/** A run of the vectors: θ is first multiplied by `keep` = 1 − η·λ, then moved by `stepSize` = η / (1 − β1ᵗ). */
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
  /** What every gradient is multiplied by first. */
  readonly gradientScale: number
}

type Widen = (halves: Uint16Array, out: Float32Array) => void
export type Narrow = (values: Float32Array, out: Uint16Array) => void

export interface Conversions {
  /** Into `out`, of the same length. Exact, and every NaN the quiet one: the same bits from every implementation. */
  readonly widenFloat16: Widen
  readonly widenBfloat16: Widen
  /** The nearest, ties to even; `values` are finite and fit. The same bits from every implementation. */
  readonly narrowFloat16: Narrow
  readonly narrowBfloat16: Narrow
}

/**
 * Long vectors are promised: C++ takes them on threads of its own. Matrices are not: whoever decomposes many does so in
 * threads that wait for nothing else (scan-lanes.ts).
 */
export interface Numerics extends Conversions {
  /** What made the numbers: two names may differ in the last bits of what is done with matrices. */
  readonly name: string
  /** Σ x² in float64. The order of summation is part of the promise: the same bits from every implementation. */
  squaredNorm(values: Float32Array): Promise<number>
  /** One update in place, arithmetic in float64 and rounded once where it is stored: the same bits from every implementation. */
  adamW(vectors: AdamWVectors, runs: readonly AdamWRun[], scalars: AdamWScalars): Promise<void>
  /** A Bᵀ `[p, q]` of A `[p, width]` and B `[q, width]`; `half` may leave what lies above the diagonal's blocks unfilled. */
  rowProducts(
    A: Float64Array,
    p: number,
    B: Float64Array,
    q: number,
    width: number,
    half?: boolean,
  ): Float64Array
  /** The first p numbers of `out` become X x, for X `[p, x.length]`. */
  multiply(out: Float64Array, X: Float64Array, x: Float64Array, p: number): void
  /** x += factor · Σ_i y_i X_i over the first `count` rows of X `[…, x.length]`. */
  addRows(x: Float64Array, factor: number, y: Float64Array, X: Float64Array, count: number): void
  /** Y W `[r, n]` of Y `[r, m]` and W `[m, n]`; where `transposed`, Y Wᵀ `[r, m]` of Y `[r, n]`. */
  throughWeight(
    Y: Float64Array,
    r: number,
    W: Float32Array | Float64Array,
    m: number,
    n: number,
    transposed: boolean,
  ): Float64Array
  /** Takes the first `count` rows of `basis`, orthonormal, out of x, makes it a unit vector, and gives the length that was left. */
  orthogonalise(x: Float64Array, basis: Float64Array, count: number): number
  /** The `k` largest eigenvalues of T but the first `from`, descending; no |λ| is more than `bound`. */
  tridiagonalValues(T: Bands, bound: number, k: number, from: number): Float64Array
  /** G = Rᵀ diag(λ) R for a symmetric G `[p, p]`. */
  symmetricEigen(G: Float64Array, p: number): Eigen
}
