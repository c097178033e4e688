/** @file Sizes of a change: effective rank (Roy and Vetterli 2007), stable rank, and the Frobenius norm. */

/** exp(−Σ p_i ln p_i) with p_i = σ_i / Σσ: 1 for one direction, n for n equal ones; null if every σ is 0. */
export function effectiveRank(singularValues: ArrayLike<number>): number | null {
  const values = Array.from(singularValues).filter((σ) => σ > 0)
  const largest = Math.max(...values)
  if (values.length === 0) return null
  // Scaled first, so that sums of very large or small σ stay finite.
  const total = values.reduce((sum, σ) => sum + σ / largest, 0)
  const entropy = values.reduce((sum, σ) => {
    const p = σ / largest / total
    return p > 0 ? sum - p * Math.log(p) : sum
  }, 0)
  return Math.exp(entropy)
}

/** ‖W‖_F² / ‖W‖₂² = Σσ² / σ₁²; null if every σ is 0. */
export function stableRank(singularValues: ArrayLike<number>): number | null {
  const values = Array.from(singularValues)
  const largest = values.reduce((best, σ) => Math.max(best, σ), 0)
  return largest > 0 ? values.reduce((sum, σ) => sum + (σ / largest) ** 2, 0) : null
}

/** ‖X‖_F, scaled by the largest element so that no square overflows or underflows. */
export function frobeniusNorm(X: ArrayLike<number>): number {
  let [largest, sum] = [0, 0]
  for (let i = 0; i < X.length; i++) largest = Math.max(largest, Math.abs(X[i]!))
  if (largest === 0) return 0
  for (let i = 0; i < X.length; i++) sum += (X[i]! / largest) ** 2
  return largest * Math.sqrt(sum)
}
