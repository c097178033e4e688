/**
 * @file Exact power of the two-sided exact McNemar test and of the exact non-inferiority test: the probability of rejection,
 * summed over all outcomes; b, c, n − b − c are trinomial.
 */
import { binomialLowerTail } from '../binomial.ts'
import { passesAbove, passesBelow } from './non-inferiority.ts'
import { lossLimits, regionProbability } from './paired-tail.ts'
import { requireCounts, requireShare } from '../require.ts'

/** The assumed change: a share `lost` of prompts counts before only, a share `gained` after only. */
export interface Change {
  readonly lost: number
  readonly gained: number
}

function requireChange({ lost, gained }: Change): void {
  if (!(lost >= 0 && gained >= 0 && lost + gained <= 1)) {
    const shares = `${lost} and ${gained}`
    throw new Error(`internal: shares of changed prompts must fit into 1; got ${shares}`)
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

/** By α, then by m; the same for every n. */
const smallerCounts = new Map<number, number[]>()

/** The largest significant min(b, c) with m changed prompts; −1 for none. */
function largestSmaller(m: number, alpha: number): number {
  const known = smallerCounts.get(alpha) ?? []
  smallerCounts.set(alpha, known)
  for (let next = known.length; next <= m; next++) {
    // One more prompt raises it by at most one.
    let k = known[next - 1] ?? -1
    if (2 * k + 2 < next && 2 * binomialLowerTail(k + 1, next, 0.5) <= alpha) k++
    known.push(k)
  }
  return known[m]!
}

/** P[the harm is shown to be below `margin` at `alpha`] with `n` prompts, by the gate's test. */
export function nonInferiorityPower(
  n: number,
  change: Change,
  { margin, alpha }: { readonly margin: number; readonly alpha: number },
): number {
  requireChange(change)
  return regionProbability(lossLimits(n, passesBelow(n, margin, alpha)), n, change)
}

/** P[the harm is shown to be above `margin` at `alpha`] with `n` prompts, by the gate's test. */
export function harmPower(
  n: number,
  change: Change,
  { margin, alpha }: { readonly margin: number; readonly alpha: number },
): number {
  requireChange(change)
  const shows = passesAbove(n, margin, alpha)
  return (
    1 -
    regionProbability(
      lossLimits(n, (lost, gained) => !shows(lost, gained)),
      n,
      change,
    )
  )
}

/**
 * The fewest prompts from which `power(n)` stays at or above `wanted`, up to `most`; null if that is not enough. Exact power is
 * a sawtooth, so the next `AHEAD` values must not fall below either.
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

/** Seeds that must all pass to claim, at `alpha`, that at least a share `reliability` of all trainings would. */
export function seedsNeeded(reliability: number, alpha: number): number {
  requireShare('reliability', reliability)
  requireShare('alpha', alpha)
  // k passes of k have probability reliabilityᵏ under the least reliable process to exclude.
  return Math.ceil(Math.log(alpha) / Math.log(reliability) - 1e-9)
}
