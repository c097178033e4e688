/**
 * @file Paired proportions, the same prompts before and after: McNemar's tests and Newcombe's interval for the difference.
 *
 * Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired data", Statistics in
 * Medicine 17 (1998), method 10. Δ = p₁ − p₂ = (b − c)/N with p₁ = (a + b)/N, p₂ = (a + c)/N.
 */
import { binomialLowerTail, binomialProbability } from '../binomial.ts'
import { wilsonShare, Z95, type LimitedShare } from '../proportion.ts'
import { requireCounts } from '../require.ts'

/** Prompts that counted both times (a), before only (b), after only (c), never (d). */
export interface PairedCounts {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
}

/** `difference` = before − after. All three are null without pairs. */
type PairedDifference =
  | { readonly difference: number; readonly lower: number; readonly upper: number }
  | { readonly difference: null; readonly lower: null; readonly upper: null }

/** φ with Newcombe's continuity correction; 0 if a margin is empty. */
function correlation({ a, b, c, d }: PairedCounts, n: number): number {
  const margins = Math.sqrt(a + b) * Math.sqrt(c + d) * Math.sqrt(a + c) * Math.sqrt(b + d)
  if (margins === 0) return 0
  const q = a * d - b * c
  return (q > n / 2 ? q - n / 2 : Math.min(q, 0)) / margins
}

/** Newcombe's interval for the change of a rate on the same prompts, within [−1, 1]. */
export function newcombePaired(counts: PairedCounts, z = Z95): PairedDifference {
  const { a, b, c, d } = counts
  requireCounts({ a, b, c, d })
  const n = a + b + c + d
  if (n === 0) return { difference: null, lower: null, upper: null }
  const [one, two] = [wilsonShare(a + b, n, z), wilsonShare(a + c, n, z)]
  return squareAndAdd(one, two, correlation(counts, n), (b - c) / n)
}

/**
 * Limits of p₁ − p₂ from the limits of each and their correlation φ: Δ − √(x² − 2φxy + y²), x = p₁ − l₁, y = u₂ − p₂, and
 * likewise above.
 */
export function squareAndAdd(
  one: LimitedShare,
  two: LimitedShare,
  φ: number,
  difference = one.share - two.share,
) {
  const reach = (x: number, y: number) => Math.sqrt(Math.max(0, x * x - 2 * φ * x * y + y * y))
  return {
    difference,
    lower: Math.max(-1, difference - reach(one.share - one.lower, two.upper - two.share)),
    upper: Math.min(1, difference + reach(two.share - two.lower, one.upper - one.share)),
  }
}

/** Exact two-sided p: min(1, 2 P[Bin(b + c, ½) ≤ min(b, c)]); 1 if nothing changed. */
export function mcNemarExact(b: number, c: number): number {
  requireCounts({ b, c })
  if (b === c) return 1
  return Math.min(1, 2 * binomialLowerTail(Math.min(b, c), b + c, 0.5))
}

/** Mid-p: the exact p less P[Bin(b + c, ½) = min(b, c)]; 1 where b = c. */
export function mcNemarMidP(b: number, c: number): number {
  requireCounts({ b, c })
  if (b === c) return 1
  return mcNemarExact(b, c) - binomialProbability(Math.min(b, c), b + c, 0.5)
}
