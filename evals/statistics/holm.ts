/** @file Holm's step-down correction for several tests (Scandinavian Journal of Statistics 6, 1979). */
import { requireShare } from './require.ts'

/** Which of `p` are rejected, in the order given: sorted ascending, p₍ᵢ₎ ≤ α/(M − i + 1), up to the first that fails. */
export function holm(p: readonly number[], alpha = 0.05): boolean[] {
  requireShare('alpha', alpha)
  if (p.some((value) => !(value >= 0 && value <= 1))) {
    throw new Error(`internal: p-values must lie in [0, 1]; got ${p.join(', ')}`)
  }
  const order = p.map((_, i) => i).sort((i, j) => p[i]! - p[j]!)
  const rejected = p.map(() => false)
  for (const [rank, i] of order.entries()) {
    if (p[i]! > alpha / (p.length - rank)) break
    rejected[i] = true
  }
  return rejected
}
