/**
 * @file Exact power: the probability that a test decides, summed over every outcome that it would decide on.
 *
 * Of the exact McNemar test (two-sided) and of the exact non-inferiority test; b, c, n − b − c are trinomial.
 */
import { binomialLowerTail } from '../binomial.ts'
import { passesBelow } from './non-inferiority.ts'
import { lossLimits, regionProbability } from './paired-tail.ts'
import { requireCounts, requireShare } from '../require.ts'

/** How the answers change: a share `lost` of prompts counts before only, a share `gained` after only. */
export interface Change {
  readonly lost: number
  readonly gained: number
}

function requireChange({ lost, gained }: Change): void {
  if (!(lost >= 0 && gained >= 0 && lost + gained <= 1)) {
    throw new Error(
      `internal: shares of changed prompts must fit into 1; got ${lost} and ${gained}`,
    )
  }
}

/** P[the exact McNemar test finds a change at `alpha`] with `n` prompts. */
export function mcNemarPower(n: number, change: Change, alpha: number): number {
  requireCounts({ n })
  requireChange(change)
  requireShare('alpha', alpha)
  const smaller = Int32Array.from({ length: n + 1 }, (_, m) => largestSmaller(m, alpha))
  const swapped = { lost: change.gained, gained: change.lost }
  return Math.min(1, regionProbability(smaller, n, change) + regionProbability(smaller, n, swapped))
}

/** By α, then by m: the same for every n, and asked for many. */
const smallerCounts = new Map<number, number[]>()

/** The largest min(b, c) among m changed prompts that is still significant; −1 where none is. */
function largestSmaller(m: number, alpha: number): number {
  const known = smallerCounts.get(alpha) ?? []
  smallerCounts.set(alpha, known)
  for (let next = known.length; next <= m; next++) {
    // One prompt more allows at most one more.
    let k = known[next - 1] ?? -1
    if (2 * k + 2 < next && 2 * binomialLowerTail(k + 1, next, 0.5) <= alpha) k++
    known.push(k)
  }
  return known[m]!
}

/** P[the harm is shown to be below `margin` at `alpha`] with `n` prompts, by the test that the gate uses. */
export function nonInferiorityPower(
  n: number,
  change: Change,
  { margin, alpha }: { readonly margin: number; readonly alpha: number },
): number {
  requireChange(change)
  return regionProbability(lossLimits(n, passesBelow(n, margin, alpha)), n, change)
}

/**
 * The fewest prompts from which on `power(n)` stays at or above `wanted`, up to `most`; null where that is not enough.
 * Exact power is a saw: the answer is the first n after which the next `AHEAD` do not fall below either.
 */
export function promptsNeeded(
  power: (n: number) => number,
  wanted: number,
  most: number,
): number | null {
  let [low, high] = [1, 8]
  while (high < most && power(high) < wanted) [low, high] = [high, high * 2]
  high = Math.min(high, most)
  if (power(high) < wanted) return null
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (power(middle) >= wanted) high = middle
    else low = middle
  }
  for (let n = high + 1; n <= Math.min(high + AHEAD, most); n++) {
    if (power(n) < wanted) high = n + 1
  }
  return high <= most ? high : null
}

const AHEAD = 12

/** Seeds that must all pass before one may say, at `alpha`, that at least a share `reliability` of all trainings would. */
export function seedsNeeded(reliability: number, alpha: number): number {
  requireShare('reliability', reliability)
  requireShare('alpha', alpha)
  // k passes of k have probability reliabilityᵏ at the least reliable process that is to be excluded.
  return Math.ceil(Math.log(alpha) / Math.log(reliability) - 1e-9)
}
