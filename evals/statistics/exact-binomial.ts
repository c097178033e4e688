/**
 * @file Exact intervals for a proportion, where a binomial tail crosses α/2.
 *
 * Clopper and Pearson, Biometrika 26 (1934): the lower limit solves P[X ≥ x; p] = α/2, the upper one P[X ≤ x; p] = α/2; the
 * coverage is at least 1 − α. Mid-p (Berry and Armitage, The Statistician 44, 1995) counts P[X = x] half.
 */
import { binomialLowerTail, binomialProbability } from './binomial.ts'
import type { Interval } from './proportion.ts'
import { requireCounts, requireShare } from './require.ts'

const HALVINGS = 60

/** The p at which the monotone `tail` crosses `level`. */
function crossing(tail: (p: number) => number, level: number, rises: boolean): number {
  let [low, high] = [0, 1]
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2
    if (tail(middle) < level === rises) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** `weight` of P[X = x] in each tail: 1 for Clopper–Pearson, ½ for mid-p. */
function tailInterval(successes: number, n: number, confidence: number, weight: number): Interval {
  requireCounts({ successes, n, 'n − successes': n - successes })
  requireShare('confidence', confidence)
  if (n === 0) return { lower: 0, upper: 1 }
  const level = (1 - confidence) / 2
  const less = (p: number) => (1 - weight) * binomialProbability(successes, n, p)
  const upTo = (p: number) => binomialLowerTail(successes, n, p) - less(p)
  const from = (p: number) => binomialLowerTail(n - successes, n, 1 - p) - less(p)
  return {
    lower: successes === 0 ? 0 : crossing(from, level, true),
    upper: successes === n ? 1 : crossing(upTo, level, false),
  }
}

/** Coverage at least `confidence` for every p; [0, 1] without observations. */
export const clopperPearson = (successes: number, n: number, confidence = 0.95): Interval =>
  tailInterval(successes, n, confidence, 1)

/** Average coverage `confidence`; shorter than Clopper–Pearson, with slightly lower coverage at some p. */
export const midPInterval = (successes: number, n: number, confidence = 0.95): Interval =>
  tailInterval(successes, n, confidence, 0.5)
