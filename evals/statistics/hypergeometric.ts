/**
 * @file Sampling without replacement: X of the m drawn from N have a property that K of the N have.
 * P[X = x] = C(K, x) C(N − K, m − x)/C(N, m).
 */
import { logFactorial } from './binomial.ts'
import { requireCounts, requireShare } from './require.ts'

/** A population of N, the number K in it with the property, and the number m drawn. */
interface Drawing {
  readonly N: number
  readonly K: number
  readonly m: number
}

const logChoose = (n: number, k: number) => logFactorial(n) - logFactorial(k) - logFactorial(n - k)

/** P[X = x]; 0 outside the support. */
function hypergeometricProbability(x: number, { N, K, m }: Drawing): number {
  requireCounts({ N, K, m, x, 'N − K': N - K, 'N − m': N - m })
  if (x > K || x > m || m - x > N - K) return 0
  return Math.exp(logChoose(K, x) + logChoose(N - K, m - x) - logChoose(N, m))
}

/** P[X ≤ x], by ratios of neighbouring terms from x downwards. */
function lowerTail(x: number, { N, K, m }: Drawing): number {
  if (x >= Math.min(K, m)) return 1
  const least = Math.max(0, m - (N - K))
  if (x < least) return 0
  let term = hypergeometricProbability(x, { N, K, m })
  let sum = term
  for (let k = x; k > least && term > sum * 1e-17; k--) {
    term *= (k * (N - K - m + k)) / ((K - k + 1) * (m - k + 1))
    sum += term
  }
  return Math.min(1, sum)
}

/**
 * The largest K that x of m drawn from N do not exclude at one-sided `alpha`: P[X ≤ x; K] > α (Buonaccorsi, The American
 * Statistician 41 (1987)). N where nothing was drawn. It covers K with probability at least 1 − α.
 */
export function mostOfPopulation(x: number, m: number, N: number, alpha: number): number {
  requireCounts({ x, m, N, 'm − x': m - x, 'N − m': N - m })
  requireShare('alpha', alpha)
  let [inside, outside] = [x, N - m + x + 1]
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2)
    if (lowerTail(x, { N, K: middle, m }) > alpha) inside = middle
    else outside = middle
  }
  return inside
}

/** The smallest K that is not excluded; 0 where nothing was drawn. */
export const leastOfPopulation = (x: number, m: number, N: number, alpha: number): number =>
  N - mostOfPopulation(m - x, m, N, alpha)

/** Tables as probable as the observed one, but for rounding, count as no more probable. */
const TIE = 1 + 1e-7

/**
 * Fisher's exact test, two-sided, that two shares are equal: the probability, given both margins, of every table that is at most
 * as probable as the observed one (Fisher 1935). 1 where a margin is empty.
 */
export function fisherExact(one: Tally, two: Tally): number {
  const [N, K] = [one.n + two.n, one.successes + two.successes]
  const probability = (x: number) => hypergeometricProbability(x, { N, K, m: one.n })
  const observed = probability(one.successes) * TIE
  let sum = 0
  for (let x = Math.max(0, K - two.n); x <= Math.min(K, one.n); x++) {
    const p = probability(x)
    if (p <= observed) sum += p
  }
  return Math.min(1, sum)
}

/** `successes` of `n`. */
interface Tally {
  readonly successes: number
  readonly n: number
}
