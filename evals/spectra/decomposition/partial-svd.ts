/**
 * @file Partial decompositions at a fraction of the full cost: leading left vectors, and the singular values of a change of any
 * rank.
 */
import { leadingVectors } from './inverse-iteration.ts'
import {
  gram,
  normaliseRows,
  rowProducts,
  transposed,
  type Matrix,
  type Numbers,
} from './matrix.ts'
import { frobeniusNorm } from '../measures.ts'
import { shortSide } from './short-side.ts'
import { leftSingular, type SingularSystem } from './svd.ts'
import { symmetricEigen } from './symmetric-eigen.ts'
import { tridiagonalise, tridiagonalValues } from './tridiagonal.ts'

/** For σ above this part of σ₁ squaring adds a relative error of at most p roundings × 10⁴ / 2: 6e-10 at p = 576. */
const WELL_RESOLVED = 1e-2
/** Above this number the full eigenvectors are faster than inverse iteration. */
const FEW = 64
/** Allowed relative error of Σσ. */
const VALUES_ERROR = 1e-9

/** The first `k` left vectors and singular values of W (fewer if min(m, n) or the rank is smaller). */
export function leadingLeft(
  W: Matrix,
  k: number,
  weight = 'W',
): Pick<SingularSystem, 'left' | 'singularValues' | 'rank'> {
  const side = shortSide(W, weight)
  const { p, q, T, isWide, scale } = side
  const count = Math.min(k, p)
  const reduced = tridiagonalise(gram(T, p, q), p)
  const values = tridiagonalValues(reduced).subarray(0, count)
  const isResolved = values[count - 1]! > values[0]! * WELL_RESOLVED ** 2
  const vectors = isResolved ? leadingVectors(reduced, values, count) : undefined
  if (!vectors) return firstOf(leftSingular(W, { weight }), count)
  const data = isWide ? vectors : rowProducts(vectors, count, side.transposed(), q, p)
  normaliseRows(data, W.rows, count)
  return {
    left: { dimension: W.rows, count, data },
    singularValues: values.map((λ) => Math.sqrt(λ) * scale),
    rank: count,
  }
}

function firstOf({ left, singularValues, rank }: SingularSystem, k: number) {
  const count = Math.min(k, rank)
  return {
    left: { ...left, count, data: left.data.slice(0, count * left.dimension) },
    singularValues: singularValues.slice(0, count),
    rank: count,
  }
}

/**
 * All min(m, n) singular values of W, descending, with exact zeros below rounding. Squaring loses the small ones, so where they
 * matter the well-resolved directions are removed from W and the rest is decomposed, repeatedly.
 */
export function singularValues(W: Matrix, weight = 'W'): Float64Array {
  const { p, q, T, scale } = shortSide(W, weight)
  const found = new Float64Array(p)
  let rest = T
  let known = 0
  while (scale > 0 && known < p) {
    const G = gram(rest, p, q)
    const reduced = tridiagonalise(G, p)
    const λ = tridiagonalValues(reduced).subarray(0, p - known)
    const σ = λ.map((value) => Math.sqrt(Math.max(value, 0)))
    found.set(σ, known)
    if (squaringError(σ, p) <= VALUES_ERROR * sum(found)) break
    const kept = σ.filter((value) => value > σ[0]! * WELL_RESOLVED).length
    const R =
      (kept <= FEW ? leadingVectors(reduced, λ, kept) : undefined) ??
      symmetricEigen(G, p).vectors.subarray(0, kept * p)
    found.fill(0, known + kept)
    known += kept
    rest = without(rest, R, kept, p, q)
    if (frobeniusNorm(rest) <= negligible(found[0]!, q)) break
  }
  return found
    .map((σ) => (σ > negligible(found[0]!, q) ? σ * scale : 0))
    .sort()
    .reverse()
}

const negligible = (largest: number, q: number) => largest * q * Number.EPSILON
const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0)

/** Σ of the errors of √λ if λ is known to p roundings of λ₁: δ / σ, and at most √δ. */
function squaringError(σ: Float64Array, p: number): number {
  const δ = p * Number.EPSILON * σ[0]! ** 2
  return σ.reduce((total, value) => total + Math.min(δ / value, Math.sqrt(δ)), 0)
}

/** X − Rᵀ R X for X `[p, q]` and orthonormal rows R `[kept, p]`. */
function without(X: Float64Array, R: Float64Array, kept: number, p: number, q: number) {
  const shares = rowProducts(transposed(X, p, q), q, R, kept, p)
  const removed = rowProducts(transposed(R, kept, p), p, shares, q, kept)
  return X.map((x, i) => x - removed[i]!)
}

/** ΔW = scale · B A as in an adapter: B `[m, rank]`, A `[rank, n]`. */
export type LowRankChange = { B: Numbers; A: Numbers; rank: number; scale: number }

/** The singular values of scale · B A that can be nonzero, without forming the product: those of B U Σ, A = U Σ Vᵀ. */
export function lowRankSingularValues({ B, A, rank, scale }: LowRankChange, weight = 'W') {
  const inner = leftSingular({ rows: rank, columns: A.length / rank, data: A }, { weight })
  const { count } = inner.left
  const rows = B.length / rank
  const basis = inner.left.data.map(
    (x, i) => x * scale * inner.singularValues[Math.floor(i / rank)]!,
  )
  const data = rowProducts(new Float64Array(B), rows, basis, count, rank)
  return singularValues({ rows, columns: count, data }, weight)
}
