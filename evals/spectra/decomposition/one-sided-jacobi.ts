/**
 * @file One-sided Jacobi (Hestenes 1958): rotates rows b_i of B until they are orthogonal, so that ‖b_i‖ are the singular
 * values to full precision even if B is rank-deficient. From nearly orthogonal rows it needs few sweeps.
 */
import { dot } from './matrix.ts'

const MAX_SWEEPS = 40
/** Rows i, j count as orthogonal if |b_i·b_j| ≤ TOLERANCE ‖b_i‖‖b_j‖, some hundred rounding errors of a dot product. */
const TOLERANCE = 1e-13

/**
 * Rotates the rows of B `[p, q]` in place, and the rows of R `[p, r]` with them, so that Rᵀ B is unchanged. Rows shorter than
 * `negligible` are rounding errors and are skipped.
 */
export function orthogonaliseRows(
  B: Float64Array,
  R: Float64Array,
  p: number,
  negligible: number,
): void {
  const [q, r] = [B.length / p, R.length / p]
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    const squares = rowSquares(B, p)
    let rotations = 0
    for (let i = 0; i < p - 1; i++) {
      for (let j = i + 1; j < p; j++) {
        const α = squares[i]!
        const β = squares[j]!
        if (Math.min(α, β) <= negligible * negligible) continue
        const γ = dot(B, i * q, B, j * q, q)
        if (Math.abs(γ) <= TOLERANCE * Math.sqrt(α * β)) continue
        const ζ = (β - α) / (2 * γ)
        const t = (ζ < 0 ? -1 : 1) / (Math.abs(ζ) + Math.sqrt(1 + ζ * ζ))
        const cosine = 1 / Math.sqrt(1 + t * t)
        rotate(B, i * q, j * q, q, cosine, cosine * t)
        rotate(R, i * r, j * r, r, cosine, cosine * t)
        squares[i] = α - t * γ
        squares[j] = β + t * γ
        rotations++
      }
    }
    if (rotations === 0) return
  }
  throw new Error(`internal: one-sided Jacobi did not settle in ${MAX_SWEEPS} sweeps`)
}

/** ‖b_i‖² of every row of B `[p, q]`. */
export function rowSquares(B: Float64Array, p: number): Float64Array {
  const q = B.length / p
  return Float64Array.from({ length: p }, (_, i) => dot(B, i * q, B, i * q, q))
}

/** The lengths of the rows of B `[p, q]`, and the rows' indices from the longest to the shortest. */
export function byLength(B: Float64Array, p: number) {
  const lengths = rowSquares(B, p).map(Math.sqrt)
  const order = Array.from(lengths, (_, i) => i).sort((i, j) => lengths[j]! - lengths[i]!)
  return { lengths, order }
}

/** The rows of X `[…, width]` in another order. */
export function permutedRows(X: Float64Array, order: readonly number[], width: number) {
  const out = new Float64Array(X.length)
  order.forEach((from, to) => out.set(X.subarray(from * width, (from + 1) * width), to * width))
  return out
}

function rotate(
  X: Float64Array,
  i: number,
  j: number,
  length: number,
  cosine: number,
  sine: number,
) {
  for (let t = 0; t < length; t++) {
    const x = X[i + t]!
    const y = X[j + t]!
    X[i + t] = cosine * x - sine * y
    X[j + t] = sine * x + cosine * y
  }
}
