/**
 * @file Binomial probabilities: P[X = k] = C(n, k) pᵏ (1 − p)ⁿ⁻ᵏ from log-factorials; tails by summing ratios of neighbouring
 * terms.
 */
import { requireCounts, requireShare } from './require.ts'

const LAST_EXACT = 18
const SMALL = [1]
for (let n = 1; n <= LAST_EXACT; n++) SMALL.push(SMALL[n - 1]! * n)

/** ln n!: the exact product up to 18!, then Stirling's series, whose first omitted term is below 10⁻¹⁴. */
export function logFactorial(n: number): number {
  requireCounts({ n })
  if (n <= LAST_EXACT) return Math.log(SMALL[n]!)
  const r = 1 / (n * n)
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r / 1680))) / n
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + series
}

function logProbability(k: number, n: number, p: number): number {
  const choose = logFactorial(n) - logFactorial(k) - logFactorial(n - k)
  return choose + k * Math.log(p) + (n - k) * Math.log1p(-p)
}

function requireBinomial(k: number, n: number, p: number): void {
  requireCounts({ k, n, 'n − k': n - k })
  requireShare('p', p)
}

/** P[Bin(n, p) = k]. */
export function binomialProbability(k: number, n: number, p: number): number {
  requireBinomial(k, n, p)
  return Math.exp(logProbability(k, n, p))
}

/** P[Bin(n, p) ≤ k]. */
export function binomialLowerTail(k: number, n: number, p: number): number {
  requireBinomial(k, n, p)
  if (k === n) return 1
  // Sum away from the mode, where terms shrink, so that a small tail keeps its relative accuracy.
  if (k > (n + 1) * p) return 1 - binomialLowerTail(n - k - 1, n, 1 - p)
  const odds = (1 - p) / p
  let term = 1
  let sum = 1
  for (let i = k; i > 0 && term > sum * Number.EPSILON * 1e-3; i--) {
    term *= (i / (n - i + 1)) * odds
    sum += term
  }
  return Math.min(1, Math.exp(logProbability(k, n, p) + Math.log(sum)))
}
