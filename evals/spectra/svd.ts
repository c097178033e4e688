/**
 * @file Singular values and vectors of a weight, W = U Σ Vᵀ, through the Gram matrix of its short side: with
 * T = W or Wᵀ so that T has p = min(m, n) rows, T Tᵀ = Rᵀ Σ² R, and the other side's vectors are R T / σ.
 *
 * Squaring loses the small σ (below about 1e-8 σ₁). R is orthonormal whatever happens, so ‖W − UΣVᵀ‖ stays at
 * rounding and says nothing; what is lost is that the rows of R T are orthogonal. That is what is checked, by
 * probing, and where it fails one-sided Jacobi finishes the work. Directions with σ = 0 are completed to a basis.
 */
import {
  dot,
  gram,
  normaliseRows,
  rowProducts,
  vector,
  type Matrix,
  type Vectors,
} from './matrix.ts'
import { orthogonaliseRows, rowSquares } from './one-sided-jacobi.ts'
import { seededUniform } from './random.ts'
import { shortSide } from './short-side.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** `left` holds u_j `[min(m, n)]` of dimension m, `right` v_j of dimension n; both orthonormal, σ descending. */
export type SingularSystem = {
  left: Vectors
  singularValues: Float64Array
  right: Vectors | undefined
  /** How many σ stand above rounding; the others are 0 and their vectors arbitrary. */
  rank: number
}

/** ‖(R T / σ)(R T / σ)ᵀ − I‖_F above which Jacobi is called: a hundredth of what a reader could see in c_j. */
const ORTHOGONALITY = 1e-8

/** All min(m, n) left vectors of W; the right ones too where `right` is set. `weight` names W in errors. */
export function leftSingular(
  W: Matrix,
  { right = false, weight = 'W' }: { right?: boolean; weight?: string } = {},
): SingularSystem {
  const { rows: m, columns: n } = W
  const isWide = m <= n
  const decomposed = decompose(W, weight, right || !isWide)
  const { singularValues, rank, other } = decomposed
  const count = singularValues.length
  const near = { dimension: count, count, data: decomposed.vectors }
  const far = other && { dimension: Math.max(m, n), count, data: other }
  if (far) completeBasis(far, rank)
  if (isWide) return { left: near, singularValues, right: right ? far : undefined, rank }
  return { left: far!, singularValues, right: right ? near : undefined, rank }
}

type Decomposed = {
  singularValues: Float64Array
  rank: number
  /** Short side's vectors as rows `[p, p]`. */
  vectors: Float64Array
  /** Long side's vectors as rows `[p, q]`; the rows from `rank` on are still to be filled. */
  other: Float64Array | undefined
}

function decompose(W: Matrix, weight: string, needsOther: boolean): Decomposed {
  const side = shortSide(W, weight)
  const { p, q, T, scale } = side
  if (scale === 0) return zeroSystem(p, q, needsOther)
  const { values, vectors } = symmetricEigen(gram(T, p, q), p)
  const σ = values.map((λ) => Math.sqrt(Math.max(λ, 0)))
  const isExact = orthogonalityDefect(T, vectors, σ) <= ORTHOGONALITY
  const isOtherUsed = needsOther || !isExact
  const other = isOtherUsed ? rowProducts(vectors, p, side.transposed(), q, p) : undefined
  const system = isExact
    ? { singularValues: σ, rank: p, vectors, other }
    : refined(other!, vectors, p, q)
  if (system.other) normaliseRows(system.other, q, system.rank)
  system.singularValues.forEach((value, j) => (system.singularValues[j] = value * scale))
  return system
}

/** W = 0: any basis is right, so the coordinate axes. */
function zeroSystem(p: number, q: number, needsOther: boolean): Decomposed {
  const axes = (length: number) => {
    const data = new Float64Array(p * length)
    for (let i = 0; i < p; i++) data[i * length + i] = 1
    return data
  }
  return {
    singularValues: new Float64Array(p),
    rank: 0,
    vectors: axes(p),
    other: needsOther ? axes(q) : undefined,
  }
}

/**
 * ‖Σ⁻¹ R (T Tᵀ) Rᵀ Σ⁻¹ − I‖_F by probes: for random signs x, E‖F x‖² = ‖F‖_F². Six products with a vector instead
 * of two with a matrix. Infinite where a σ is below what squaring can resolve.
 */
function orthogonalityDefect(short: Float64Array, R: Float64Array, σ: Float64Array): number {
  const p = σ.length
  const q = short.length / p
  if (σ[p - 1]! <= σ[0]! * 3e-8) return Infinity
  const uniform = seededUniform(p)
  let worst = 0
  for (let probe = 0; probe < 3; probe++) {
    const x = Float64Array.from({ length: p }, () => (uniform() < 0.5 ? -1 : 1))
    const back = applyTransposed(
      short,
      applyTransposed(
        R,
        x.map((value, j) => value / σ[j]!),
        p,
      ),
      q,
    )
    const y = apply(R, apply(short, back, p), p)
    worst = Math.max(worst, norm(y.map((value, j) => value / σ[j]! - x[j]!)))
  }
  return worst
}

const norm = (x: Float64Array) => Math.sqrt(dot(x, 0, x, 0, x.length))

/** X x for X `[p, x.length]`. */
function apply(X: Float64Array, x: Float64Array, p: number) {
  return Float64Array.from({ length: p }, (_, i) => dot(X, i * x.length, x, 0, x.length))
}

/** Xᵀ x for X `[x.length, width]`. */
function applyTransposed(X: Float64Array, x: Float64Array, width: number) {
  const out = new Float64Array(width)
  for (let i = 0; i < x.length; i++) {
    const factor = x[i]!
    for (let t = 0; t < width; t++) out[t]! += factor * X[i * width + t]!
  }
  return out
}

/** Jacobi from where the Gram matrix left off; sorts again, for the small σ may have changed places. */
function refined(B: Float64Array, R: Float64Array, p: number, q: number): Decomposed {
  const largest = Math.sqrt(rowSquares(B, p).reduce((a, b) => Math.max(a, b), 0))
  const negligible = largest * q * Number.EPSILON
  orthogonaliseRows(B, R, p, negligible)
  const lengths = rowSquares(B, p).map(Math.sqrt)
  const order = Array.from(lengths, (_, i) => i).sort((i, j) => lengths[j]! - lengths[i]!)
  const singularValues = Float64Array.from(order, (i) =>
    lengths[i]! <= negligible ? 0 : lengths[i]!,
  )
  return {
    singularValues,
    rank: singularValues.findLastIndex((σ) => σ > 0) + 1,
    vectors: permutedRows(R, order, p),
    other: permutedRows(B, order, q),
  }
}

function permutedRows(X: Float64Array, order: readonly number[], width: number) {
  const out = new Float64Array(X.length)
  order.forEach((from, to) => out.set(X.subarray(from * width, (from + 1) * width), to * width))
  return out
}

/** Fills vectors `from`… of a set whose first `from` are orthonormal, starting from the axis least covered so far. */
function completeBasis(basis: Vectors, from: number) {
  const { dimension, count, data } = basis
  if (from === count) return
  const uncovered = new Float64Array(dimension).fill(1)
  const cover = (u: Float64Array) => u.forEach((x, t) => (uncovered[t]! -= x * x))
  for (let j = 0; j < from; j++) cover(vector(basis, j))
  for (let j = from; j < count; j++) {
    const u = vector(basis, j).fill(0)
    u[uncovered.reduce((best, value, t) => (value > uncovered[best]! ? t : best), 0)] = 1
    // Gram–Schmidt twice is enough (Kahan and Parlett).
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < j; i++) {
        const share = dot(u, 0, data, i * dimension, dimension)
        for (let t = 0; t < dimension; t++) u[t]! -= share * data[i * dimension + t]!
      }
    }
    normaliseRows(u, dimension, 1)
    cover(u)
  }
}
