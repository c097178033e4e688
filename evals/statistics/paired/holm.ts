/** @file Holm's step-down correction for several tests (Scandinavian Journal of Statistics 6, 1979). */
import { requireShare } from '../require.ts'

function ascending(p: readonly number[]): number[] {
  if (p.some((value) => !(value >= 0 && value <= 1))) {
    throw new Error(`internal: p-values must lie in [0, 1]; got ${p.join(', ')}`)
  }
  return p.map((_, i) => i).sort((i, j) => p[i]! - p[j]!)
}

/** Each p as the smallest α at which Holm's procedure rejects it: the running maximum of (M − i + 1) p₍ᵢ₎, at most 1. */
export function holmAdjusted(p: readonly number[]): number[] {
  const adjusted = p.map(() => 1)
  let largest = 0
  for (const [rank, i] of ascending(p).entries()) {
    largest = Math.max(largest, Math.min(1, (p.length - rank) * p[i]!))
    adjusted[i] = largest
  }
  return adjusted
}

/**
 * Which of `p` are rejected, in the given order: sorted by p/w ascending, p/w ≤ α/Σ w of those not yet rejected, up to the first
 * failure. With the weights w all 1 it is p₍ᵢ₎ ≤ α/(M − i + 1); any fixed positive weights keep the family's error at α (section 3).
 */
export function holm(p: readonly number[], alpha = 0.05, weights = p.map(() => 1)): boolean[] {
  requireShare('alpha', alpha)
  ascending(p)
  const order = p.map((_, i) => i).sort((i, j) => p[i]! / weights[i]! - p[j]! / weights[j]!)
  const rejected = p.map(() => false)
  for (const [rank, i] of order.entries()) {
    const left = order.slice(rank).reduce((sum, j) => sum + weights[j]!, 0)
    if (p[i]! > (alpha * weights[i]!) / left) break
    rejected[i] = true
  }
  return rejected
}
