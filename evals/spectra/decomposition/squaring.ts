/** @file Measures what squaring lost: whether a decomposition of T Tᵀ is accurate enough for T. */
import { randomStream } from '../../statistics/random.ts'
import { apply, applyTransposed, dot } from './matrix.ts'

/** The rotation R to an eigenbasis of T Tᵀ, and its inverse Rᵀ. */
type Turn = {
  into: (x: Float64Array) => Float64Array
  from: (x: Float64Array) => Float64Array
}

/** Below this part of σ₁ squaring loses a σ entirely. */
const RESOLUTION = 3e-8

/** Whether squaring kept something of every σ. */
export function isResolved(σ: Float64Array): boolean {
  const largest = σ.reduce((a, b) => Math.max(a, b), 0)
  return σ.every((value) => value > largest * RESOLUTION)
}

/**
 * Whether the rows of R T / σ are orthonormal: ‖Σ⁻¹ R (T Tᵀ) Rᵀ Σ⁻¹ − I‖_F ≤ `limit`, estimated with three probes (for random
 * signs x, E‖F x‖² = ‖F‖_F²) by products with vectors only. σ `[p]`, T `[p, q]`.
 */
export function survivesSquaring(
  T: Float64Array,
  σ: Float64Array,
  turn: Turn,
  limit: number,
): boolean {
  const p = σ.length
  if (!isResolved(σ)) return false
  const { uniform } = randomStream(p, 'squaring probes')
  return [1, 2, 3].every(() => {
    const x = Float64Array.from({ length: p }, () => (uniform() < 0.5 ? -1 : 1))
    const wide = applyTransposed(T, turn.from(x.map((value, j) => value / σ[j]!)), T.length / p)
    const F = turn.into(apply(T, wide, p)).map((value, j) => value / σ[j]! - x[j]!)
    return Math.sqrt(dot(F, 0, F, 0, p)) <= limit
  })
}
