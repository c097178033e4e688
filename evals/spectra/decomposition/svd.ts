/**
 * @file Singular values and vectors of a weight, W = U Σ Vᵀ, through the Gram matrix of its short side: with T = W or Wᵀ so
 * that T has p = min(m, n) rows, T Tᵀ = Rᵀ Σ² R, and the other side's vectors are R T / σ.
 *
 * Squaring loses small σ (below about 1e-8 σ₁). R is orthonormal in any case, so ‖W − UΣVᵀ‖ is always at rounding; the loss
 * shows in the orthogonality of the rows of R T. That is probed (`squaring.ts`). If it fails, R is refined (`sharpening.ts`),
 * and one-sided Jacobi finishes the rest. Directions with σ = 0 are completed to a basis.
 */
import {
  apply,
  applyTransposed,
  dot,
  gram,
  normaliseRows,
  rowProducts,
  vector,
  type Matrix,
  type Vectors,
} from './matrix.ts'
import { byLength, orthogonaliseRows, permutedRows, rowSquares } from './one-sided-jacobi.ts'
import { sharpened, type Turned } from './sharpening.ts'
import { shortSide, type ShortSide } from './short-side.ts'
import { isResolved, survivesSquaring } from './squaring.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** `left` has u_j `[min(m, n)]` of dimension m, `right` v_j of dimension n; both orthonormal, σ descending. */
export type SingularSystem = {
  left: Vectors
  singularValues: Float64Array
  right: Vectors | undefined
  /** The number of σ above rounding; the others are 0 with arbitrary vectors. */
  rank: number
}

/** Largest deviation of the derived side from orthonormality without Jacobi. */
const SKEW = 1e-8
const SHARPENINGS = 2

/** All min(m, n) left vectors of W, and with `right` the right ones. `weight` names W in errors. */
export function leftSingular(
  W: Matrix,
  { right = false, weight = 'W' }: { right?: boolean; weight?: string } = {},
): SingularSystem {
  const { rows: m, columns: n } = W
  const isWide = m <= n
  const { singularValues, rank, vectors, other } = decomposed(W, weight, right || !isWide)
  const count = singularValues.length
  const near = { dimension: count, count, data: vectors }
  const far = other && { dimension: Math.max(m, n), count, data: other }
  if (isWide) return { left: near, singularValues, right: right ? far : undefined, rank }
  return { left: far!, singularValues, right: right ? near : undefined, rank }
}

type Decomposed = {
  singularValues: Float64Array
  rank: number
  /** Whether the long side's vectors equal the products of the short side's, divided by σ. */
  isExact: boolean
  /** The short side's vectors as rows `[p, p]`. */
  vectors: Float64Array
  /** The long side's vectors as rows `[p, q]`. */
  other: Float64Array | undefined
}

/** The short side's vectors; also the long side's if they are needed, or cannot be derived from them. */
export function decomposed(W: Matrix, weight: string, needsOther = false): Decomposed {
  const side = shortSide(W, weight)
  const { p, q, scale } = side
  if (scale === 0) return zeroSystem(p, q)
  const { σ, vectors, isExact } = turnOf(side)
  const isOtherUsed = needsOther || !isExact
  const other = isOtherUsed ? rowProducts(vectors, p, side.transposed(), q, p) : undefined
  const system = isExact
    ? { singularValues: σ, rank: p, vectors, other, isExact }
    : refined(other!, vectors, p, q)
  if (system.other) {
    normaliseRows(system.other, q, system.rank)
    completeBasis({ dimension: q, count: p, data: system.other }, system.rank)
  }
  system.singularValues.forEach((value, j) => (system.singularValues[j] = value * scale))
  return system
}

/** The short side's vectors, refined if squaring spoilt the long side's, and whether they are accurate enough. */
function turnOf(side: ShortSide): Turned & { isExact: boolean } {
  const { p, q, T } = side
  const { values, vectors } = symmetricEigen(gram(T, p, q), p)
  let turned: Turned = { σ: values.map((λ) => Math.sqrt(Math.max(λ, 0))), vectors }
  for (let step = 0; ; step++) {
    const { σ, vectors: R } = turned
    const turn = {
      into: (x: Float64Array) => apply(R, x, p),
      from: (x: Float64Array) => applyTransposed(R, x, p),
    }
    const isExact = survivesSquaring(T, σ, turn, SKEW)
    if (isExact || step === SHARPENINGS || !isResolved(σ)) return { ...turned, isExact }
    const next = sharpened(R, side)
    if (!next) return { ...turned, isExact }
    turned = next
  }
}

/** W = 0: any basis is valid; returns the coordinate axes. */
function zeroSystem(p: number, q: number): Decomposed {
  const axes = (length: number) => {
    const data = new Float64Array(p * length)
    for (let i = 0; i < p; i++) data[i * length + i] = 1
    return data
  }
  const singularValues = new Float64Array(p)
  return { singularValues, rank: 0, vectors: axes(p), other: axes(q), isExact: false }
}

/** Continues with Jacobi and sorts again, because small σ may have changed their order. */
function refined(B: Float64Array, R: Float64Array, p: number, q: number): Decomposed {
  const largest = Math.sqrt(rowSquares(B, p).reduce((a, b) => Math.max(a, b), 0))
  const negligible = largest * q * Number.EPSILON
  orthogonaliseRows(B, R, p, negligible)
  const { lengths, order } = byLength(B, p)
  const singularValues = Float64Array.from(order, (i) =>
    lengths[i]! <= negligible ? 0 : lengths[i]!,
  )
  return {
    singularValues,
    rank: singularValues.findLastIndex((σ) => σ > 0) + 1,
    isExact: false,
    vectors: permutedRows(R, order, p),
    other: permutedRows(B, order, q),
  }
}

/** Completes vectors `from`… of a set whose first `from` are orthonormal, starting from the least covered axis. */
function completeBasis(basis: Vectors, from: number) {
  const { dimension, count, data } = basis
  if (from === count) return
  const uncovered = new Float64Array(dimension).fill(1)
  const cover = (u: Float64Array) => u.forEach((x, t) => (uncovered[t]! -= x * x))
  for (let j = 0; j < from; j++) cover(vector(basis, j))
  for (let j = from; j < count; j++) {
    const u = vector(basis, j).fill(0)
    u[uncovered.reduce((best, value, t) => (value > uncovered[best]! ? t : best), 0)] = 1
    // Gram–Schmidt twice suffices (Kahan and Parlett).
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
