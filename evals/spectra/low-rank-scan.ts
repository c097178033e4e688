/**
 * @file The leading directions of W1 = W0 + s·B·A in the base's singular basis, where W1 becomes M = Σ + s (U0ᵀB)(A V0),
 * diagonal plus rank r. Cost: O(mn·r) to project, O(p·r) per Krylov step, nothing cubic. c_j is the largest entry of M's left
 * vector.
 *
 * The parts of B outside U0's span (m > n), or of A outside V0's (m < n), become r more rows or columns of M.
 */
import type { BaseSystem } from './basis.ts'
import { areDistinct, leadingTriplets, type Operator } from './decomposition/golub-kahan.ts'
import {
  addMultiple,
  addRows,
  applyInto,
  dot,
  rowProducts,
  transposed,
} from './decomposition/matrix.ts'
import type { Directions } from './directions.ts'
import type { LowRankChange } from './decomposition/partial-svd.ts'
import { symmetricEigen } from './decomposition/symmetric-eigen.ts'

/** M = diag(σ) + C Dᵀ, with C `[r, rows]` and D `[r, columns]` as rows and σ `[p]`; C includes s. */
type DiagonalPlusLowRank = {
  σ: Float64Array
  r: number
  C: Float64Array
  rows: number
  D: Float64Array
  columns: number
}

/**
 * The first k directions of W1. Undefined where the rank is too large to save time, or the leading σ are tied, small or not found; then decompose W1 itself.
 */
export function leadingOfUpdate(
  base: BaseSystem,
  change: LowRankChange,
  k: number,
): Directions | undefined {
  if (2 * change.rank > base.count || 3 * k > base.count) return undefined
  const M = inSingularBasis(base, change)
  if (![M.C, M.D].every((X) => X.every(Number.isFinite))) return undefined
  const found = leadingTriplets(operatorOf(M), k)
  if (!found || !areDistinct(found)) return undefined
  const { singularValues, left, next } = found
  // Krylov spaces contain one copy of a repeated σ, and `next` is an estimate: exactly k values must lie above the midpoint.
  if (countAbove(M, (singularValues[k - 1]! + next) / 2) !== k) return undefined
  const cosines = Array.from({ length: k }, (_, j) =>
    left.slice(j * M.rows, j * M.rows + base.count).map(Math.abs),
  )
  return { singularValues, cosines, energy: energyOf(M) }
}

export function inSingularBasis(
  base: BaseSystem,
  { B, A, rank: r, scale }: LowRankChange,
): DiagonalPlusLowRank {
  const [m, n] = base.shape
  const p = base.count
  const left = transposed(new Float64Array(B), m, r).map((x) => x * scale)
  const right = new Float64Array(A)
  const { left: C, right: D } = base.project(left, right, r)
  const outsideC = m > n ? outside(left, m, C, p, r) : undefined
  const outsideD = n > m ? outside(right, n, D, p, r) : undefined
  return {
    σ: base.parts.singularValues,
    r,
    C: outsideC ? widened(C, p, outsideC, r) : C,
    rows: p + (outsideC ? r : 0),
    D: outsideD ? widened(D, p, outsideD, r) : D,
    columns: p + (outsideD ? r : 0),
  }
}

/**
 * H^½ `[r, r]`, H = X Xᵀ − Y Yᵀ: the components of the rows X `[r, width]` outside the span in which they are Y `[r, p]`, up to
 * rotation.
 */
function outside(X: Float64Array, width: number, Y: Float64Array, p: number, r: number) {
  const inside = rowProducts(Y, r, Y, r, p)
  const H = rowProducts(X, r, X, r, width).map((x, i) => x - inside[i]!)
  const { values, vectors } = symmetricEigen(H, r)
  const root = new Float64Array(r * r)
  for (let a = 0; a < r; a++) {
    const length = Math.sqrt(Math.max(values[a]!, 0))
    for (let b = 0; b < r; b++) root[b * r + a] = length * vectors[a * r + b]!
  }
  return root
}

/** Each row of X `[r, p]` followed by the same row of Y `[r, extra]`. */
function widened(X: Float64Array, p: number, Y: Float64Array, extra: number): Float64Array {
  const r = X.length / p
  const out = new Float64Array(r * (p + extra))
  for (let a = 0; a < r; a++) {
    out.set(X.subarray(a * p, (a + 1) * p), a * (p + extra))
    out.set(Y.subarray(a * extra, (a + 1) * extra), a * (p + extra) + p)
  }
  return out
}

function operatorOf(M: DiagonalPlusLowRank): Operator {
  const { σ, r, C, rows, D, columns } = M
  const shares = new Float64Array(r)
  const multiply = (X: Float64Array, Y: Float64Array) => (x: Float64Array, out: Float64Array) => {
    out.fill(0)
    for (let i = 0; i < σ.length; i++) out[i] = σ[i]! * x[i]!
    addRows(out, 1, applyInto(shares, X, x, r), Y, r)
  }
  const [times, timesTransposed] = [multiply(D, C), multiply(C, D)]
  return { rows, columns, times, timesTransposed, start: startOf(M) }
}

/** A start vector weighted towards large σ and the update's directions. */
function startOf({ σ, r, D, columns }: DiagonalPlusLowRank): Float64Array {
  const out = new Float64Array(columns)
  for (let i = 0; i < σ.length; i++) out[i] = σ[0]! > 0 ? (σ[i]! / σ[0]!) ** 8 : 1
  for (let a = 0; a < r; a++) {
    const length = Math.sqrt(dot(D, a * columns, D, a * columns, columns))
    if (length > 0) addMultiple(out, 0, 1 / length, D, a * columns, columns)
  }
  return out
}

/**
 * The number of singular values of M above θ, from the inertia of H = [[−θI, M], [Mᵀ, −θI]] = H₀ + F K Fᵀ with F = diag(C, D)
 * and
 * K = [[0, I], [I, 0]] (Haynsworth): pos(H) = pos(H₀) + pos(−K⁻¹ − Fᵀ H₀⁻¹ F) − r. O(p·r²).
 */
export function countAbove({ σ, r, C, rows, D, columns }: DiagonalPlusLowRank, θ: number): number {
  const p = σ.length
  const own = σ.map((value) => -θ / (θ * θ - value * value))
  const cross = σ.map((value) => -value / (θ * θ - value * value))
  const weighted = (X: Float64Array, width: number, weights: Float64Array, beyond: number) => {
    const out = new Float64Array(r * width)
    for (let a = 0; a < r; a++) {
      for (let i = 0; i < width; i++) {
        out[a * width + i] = X[a * width + i]! * (i < p ? weights[i]! : beyond)
      }
    }
    return out
  }
  const CC = rowProducts(weighted(C, rows, own, -1 / θ), r, C, r, rows)
  const DD = rowProducts(weighted(D, columns, own, -1 / θ), r, D, r, columns)
  const mixedC = firstOf(weighted(C, rows, cross, 0), rows, p)
  const CD = rowProducts(mixedC, r, firstOf(D, columns, p), r, p)
  const S = new Float64Array(4 * r * r)
  for (let a = 0; a < r; a++) {
    for (let b = 0; b < r; b++) {
      S[a * 2 * r + b] = -CC[a * r + b]!
      S[(r + a) * 2 * r + r + b] = -DD[a * r + b]!
      const mixed = -CD[a * r + b]! - (a === b ? 1 : 0)
      S[a * 2 * r + r + b] = mixed
      S[(r + b) * 2 * r + a] = mixed
    }
  }
  const positive = symmetricEigen(S, 2 * r).values.filter((value) => value > 0).length
  return σ.filter((value) => value > θ).length + positive - r
}

/** The first `count` elements of each row. */
function firstOf(X: Float64Array, width: number, count: number): Float64Array {
  if (width === count) return X
  const r = X.length / width
  const out = new Float64Array(r * count)
  for (let a = 0; a < r; a++) out.set(X.subarray(a * width, a * width + count), a * count)
  return out
}

/** ‖M‖_F² = Σσ² + 2 Σ_i σ_i (C Dᵀ)_ii + ‖C Dᵀ‖². */
function energyOf({ σ, r, C, rows, D, columns }: DiagonalPlusLowRank): number {
  const p = σ.length
  let energy = dot(σ, 0, σ, 0, p)
  for (let a = 0; a < r; a++) {
    for (let i = 0; i < p; i++) energy += 2 * σ[i]! * C[a * rows + i]! * D[a * columns + i]!
  }
  const [CC, DD] = [rowProducts(C, r, C, r, rows), rowProducts(D, r, D, r, columns)]
  return energy + dot(CC, 0, DD, 0, r * r)
}
