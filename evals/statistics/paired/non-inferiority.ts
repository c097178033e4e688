/**
 * @file Non-inferiority: is the harm ψ = p₁₀ − p₀₁ on the same prompts, before and after, below the margin δ?
 *
 * Tango's score (Statistics in Medicine 17 (1998)): T = (b − c − nδ)/√(n(2q̂ + δ − δ²)), with q̂ the maximum-likelihood p₀₁ at
 * ψ = δ. Up to `EXACT_UP_TO` prompts p is exact and unconditional: sup over p₀₁ of P[T ≤ t], so that the size at the margin
 * never exceeds α (that of Tango's test does). Beyond, p is the score's normal tail with a continuity correction of ½.
 */
import { normalLowerTail, normalQuantile } from '../normal.ts'
import { lossLimits, regionProbability, type LossLimits } from './paired-tail.ts'
import { Z95, type Interval } from '../proportion.ts'
import { requireCounts, requireShare } from '../require.ts'

/** Prompts that counted before only and after only, of `n`. Harm is (lost − gained)/n. */
export interface PairedChange {
  readonly lost: number
  readonly gained: number
  readonly n: number
}

export interface MarginTests {
  /** p of "the harm is at least δ": small values show that it is below. */
  readonly below: number
  /** p of "the harm is at most δ": small values show that it is above. */
  readonly above: number
  readonly method: 'exact' | 'score'
}

export const EXACT_UP_TO = 2000
/** Outcomes with equal T must be treated alike, however T was rounded. */
const TIE = 1e-9
const GRID = 160
/** Each narrows the place to 0.618 of what it was: 22 reach 3e-7, and a value at its top moves by the square of that. */
const SECTIONS = 22

/** T at the margin: negative if the observed harm is below it. */
export function tangoScore({ lost, gained, n }: PairedChange, margin: number): number {
  return (lost - gained - n * margin) / deviation(lost, gained, n, margin)
}

/** A negative harm is the harm of the opposite change. */
const scoreAt = ({ lost, gained, n }: PairedChange, harm: number): number =>
  harm < 0
    ? 0 - tangoScore({ lost: gained, gained: lost, n }, -harm)
    : tangoScore({ lost, gained, n }, harm)

/** Halvings of [−1, 1] until a limit moves by rounding only. */
const HALVINGS = 52

/**
 * Tango's interval for the harm, every δ with |T| ≤ z. With few pairs or changes its coverage falls less below nominal than
 * Newcombe's (test/golden/fixtures/coverage.json). Null without pairs.
 */
export function tangoInterval(change: PairedChange, z = Z95): Interval | null {
  const { lost, gained, n } = change
  requireCounts({ lost, gained, n, 'n − lost − gained': n - lost - gained })
  if (n === 0) return null
  const seen = (lost - gained) / n
  // T is 0/0 at 0 if nothing changed and at ±1 if everything did; these points are inside.
  const limit = (end: -1 | 1): number => {
    const isInside = (harm: number) => !(end * scoreAt(change, harm) < -z)
    if (isInside(end)) return end
    let [inside, outside] = [seen, end as number]
    for (let i = 0; i < HALVINGS; i++) {
      const middle = (inside + outside) / 2
      if (isInside(middle)) inside = middle
      else outside = middle
    }
    return inside
  }
  return { lower: limit(-1), upper: limit(1) }
}

/** √(n(2q̂ + δ − δ²)); q̂ solves 2n q² − (b + c + δ(b − c − 2n)) q − cδ(1 − δ) = 0. */
function deviation(lost: number, gained: number, n: number, margin: number): number {
  const B = lost + gained + margin * (lost - gained - 2 * n)
  const q = (B + Math.sqrt(B * B + 8 * n * gained * margin * (1 - margin))) / (4 * n)
  return Math.sqrt(n * (2 * Math.max(0, q) + margin - margin * margin))
}

/** Whether the test passes at `alpha` for any outcome of `n` prompts; computed once for many outcomes. */
export function passesBelow(
  n: number,
  margin: number,
  alpha: number,
): (lost: number, gained: number) => boolean {
  if (n <= EXACT_UP_TO) {
    const critical = criticalScore(n, margin, alpha)
    return (lost, gained) => tangoScore({ lost, gained, n }, margin) <= critical
  }
  const z = normalQuantile(alpha)
  return (lost, gained) =>
    (lost - gained + 0.5 - n * margin) / deviation(lost, gained, n, margin) <= z
}

/** Both tests. Null without prompts. */
export function marginTests(change: PairedChange, margin: number): MarginTests | null {
  const { lost, gained, n } = change
  requireCounts({ lost, gained, n, 'n − lost − gained': n - lost - gained })
  requireShare('margin', margin)
  if (n === 0) return null
  const score = tangoScore(change, margin)
  if (n <= EXACT_UP_TO) return exactTests(n, margin, score)
  const half = 0.5 / deviation(lost, gained, n, margin)
  return {
    below: normalLowerTail(score + half),
    above: normalLowerTail(half - score),
    method: 'score',
  }
}

/** The last answers: claims on one benchmark, and searches for a number of replies, ask the same again. */
const known = new Map<string, MarginTests>()
const MOST_KNOWN = 512

function exactTests(n: number, margin: number, score: number): MarginTests {
  const key = `${n} ${margin} ${score}`
  const found = known.get(key) ?? {
    below: exactBelow(n, margin, score),
    above: exactAbove(n, margin, score),
    method: 'exact',
  }
  known.set(key, found)
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!)
  return found
}

/** The region of outcomes whose T `isInside`. */
const limitsOf = (n: number, margin: number, isInside: (score: number) => boolean): LossLimits =>
  lossLimits(n, (lost, gained) => isInside(tangoScore({ lost, gained, n }, margin)))

/** sup over the nuisance parameter of P[T ≤ score], at harm = margin. */
export function exactBelow(n: number, margin: number, score: number): number {
  const limits = limitsOf(n, margin, (own) => own <= score + TIE)
  return supremum(margin, (at) => regionProbability(limits, n, at))
}

function exactAbove(n: number, margin: number, score: number): number {
  const rest = limitsOf(n, margin, (own) => own < score - TIE)
  return supremum(margin, (at) => 1 - regionProbability(rest, n, at))
}

type Nuisance = { readonly lost: number; readonly gained: number }

/** p₀₁ in [0, (1 − δ)/2] for `place` from 0 to 1, denser near 0, where probabilities change fastest. */
function nuisanceAt(margin: number, place: number): Nuisance {
  const gained = ((1 - margin) / 2) * place * place
  return { lost: gained + margin, gained }
}

const GOLDEN = (Math.sqrt(5) - 1) / 2

/** The largest value found by golden sections between two places. */
function largestBetween(
  [from, to]: readonly [number, number],
  at: (place: number) => number,
): number {
  let [low, high] = [Math.max(0, from), Math.min(1, to)]
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)]
  let [atLeft, atRight] = [at(left), at(right)]
  let largest = Math.max(atLeft, atRight)
  for (let i = 0; i < SECTIONS; i++) {
    if (atLeft < atRight) {
      ;[low, left, atLeft] = [left, right, atRight]
      right = low + GOLDEN * (high - low)
      atRight = at(right)
    } else {
      ;[high, right, atRight] = [right, left, atLeft]
      left = high - GOLDEN * (high - low)
      atLeft = at(left)
    }
    largest = Math.max(largest, atLeft, atRight)
  }
  return largest
}

/**
 * Places in the last two cells of the grid, denser towards 1. There nearly every prompt changes, and the probability moves up
 * and down with the parity of the changes, faster than the grid.
 */
const LAST = Array.from({ length: 33 }, (_, i) => 1 - (2 / GRID) * (i / 32) ** 2)

/** The largest value between the neighbours of a place of the grid, and in the last cells. */
function refined(best: number, at: (place: number) => number): number {
  const last = LAST.map(at)
  const top = last.indexOf(Math.max(...last))
  return Math.max(
    largestBetween([(best - 1) / GRID, (best + 1) / GRID], at),
    largestBetween([LAST[top + 1] ?? 1 - 2 / GRID, LAST[top - 1] ?? 1], at),
    last[top]!,
  )
}

/** The largest value over the nuisance parameter: on a grid, then by `refined`. */
function supremum(margin: number, probability: (at: Nuisance) => number): number {
  const at = (place: number) => probability(nuisanceAt(margin, place))
  const values = Array.from({ length: GRID + 1 }, (_, i) => at(i / GRID))
  const best = values.indexOf(Math.max(...values))
  return Math.min(1, Math.max(0, ...values, refined(best, at)))
}

/** Usual range of the critical score; checking it first saves most of the bisection. */
const USUAL = [-1.9, -1.6]

/** The largest T that shows the harm to be below the margin at `alpha`: the test rejects if T ≤ this. */
export function criticalScore(n: number, margin: number, alpha: number): number {
  requireCounts({ n, 'n − 1': n - 1 })
  requireShare('alpha', alpha)
  const isWithin = levelOf(n, margin, alpha)
  let [passed, failed] = [-Infinity, Infinity]
  const look = (score: number): boolean => {
    // A larger score rejects more outcomes, whatever the nuisance parameter.
    if (score <= passed) return true
    if (score >= failed) return false
    const passes = isWithin(score)
    if (passes) passed = score
    else failed = score
    return passes
  }
  USUAL.forEach(look)
  let [low, high] = [-12, 0]
  for (let i = 0; i < 26; i++) {
    const middle = (low + high) / 2
    if (look(middle)) low = middle
    else high = middle
  }
  return low
}

/** Of the critical score of `above`, and how often the space between is halved: to 10⁻³, on the side that shows less. */
const USUAL_ABOVE = [1, 5] as const
const HALVINGS_ABOVE = 12

/** Whether the test shows the harm to be above the margin at `alpha`, for any outcome of `n` prompts. */
export function passesAbove(
  n: number,
  margin: number,
  alpha: number,
): (lost: number, gained: number) => boolean {
  const z = -normalQuantile(alpha)
  if (n > EXACT_UP_TO) {
    return (lost, gained) =>
      (lost - gained - 0.5 - n * margin) / deviation(lost, gained, n, margin) >= z
  }
  let [fails, shows]: [number, number] = [...USUAL_ABOVE]
  for (let i = 0; i < HALVINGS_ABOVE; i++) {
    const middle = (fails + shows) / 2
    if (exactAbove(n, margin, middle) <= alpha) shows = middle
    else fails = middle
  }
  return (lost, gained) => tangoScore({ lost, gained, n }, margin) >= shows
}

/** More than the rounding error of a sum of probabilities. */
const ROUNDING = 1e-10

/**
 * Tests `exactBelow` ≤ `alpha` for a sequence of scores, each between the largest that passed and the smallest that failed.
 * Values of the latter bound the former at every place, so most places need no sum.
 */
function levelOf(n: number, margin: number, alpha: number): (score: number) => boolean {
  const most = new Float64Array(GRID + 1).fill(1)
  const known: { limits: LossLimits; isWithin: boolean }[] = []
  return (score) => {
    const limits = limitsOf(n, margin, (own) => own <= score + TIE)
    const alike = known.find((each) => each.limits.every((limit, m) => limit === limits[m]))
    if (alike) return alike.isWithin
    const at = (place: number) => regionProbability(limits, n, nuisanceAt(margin, place))
    const { best, values } = largestOf(most, (i) => at(i / GRID), alpha)
    let isWithin = values.get(best)! <= alpha
    if (isWithin) isWithin = refined(best, at) <= alpha
    else for (const [i, value] of values) most[i] = value
    known.push({ limits, isWithin })
    return isWithin
  }
}

/** The first place with the grid's largest value. Sums only where it could be, and where the level might be exceeded. */
function largestOf(most: Float64Array, valueAt: (i: number) => number, alpha: number) {
  const order = [...most.keys()].sort((i, j) => most[j]! - most[i]! || i - j)
  const values = new Map<number, number>()
  let best = order[0]!
  for (const i of order) {
    const largest = values.get(best) ?? 0
    if (most[i]! + ROUNDING < Math.min(largest, alpha)) break
    const value = valueAt(i)
    values.set(i, value)
    if (value > largest || (value === largest && i < best)) best = i
  }
  return { best, values }
}
