/**
 * @file The step at which a rate changed during training: the likelihood of two binomial segments against one rate throughout.
 *
 * Λ = max over splits of ℓ(left) + ℓ(right) − ℓ(all), ℓ(x, n) = x ln(x/n) + (n − x) ln(1 − x/n); p by simulating Λ at the
 * common rate (Hinkley and Hinkley, Biometrika 57, 1970). The steps count as independent samples. Using the same prompts at
 * every step correlates them, which makes the test more conservative.
 */
import { randomStream } from './random.ts'
import { requireCounts } from './require.ts'

interface Counted {
  readonly step: number
  readonly successes: number
  readonly n: number
}

interface ChangePoint {
  /** The first evaluated step of the second segment. */
  readonly step: number
  readonly before: number
  readonly after: number
  /** Share of simulations without a change whose Λ is as large, counting this one: never 0. */
  readonly pValue: number
}

const SIMULATIONS = 1999

/** Null for fewer than two steps or a constant rate. `points` ascend by step. */
export function changePoint(points: readonly Counted[], seed = 0): ChangePoint | null {
  for (const { successes, n } of points) requireCounts({ successes, n, rest: n - successes })
  const counted = points.filter(({ n }) => n > 0)
  if (counted.length < 2) return null
  const successes = Float64Array.from(counted, (point) => point.successes)
  const sizes = Float64Array.from(counted, ({ n }) => n)
  const { split, gain } = bestSplit(successes, sizes)
  if (gain <= 1e-12) return null
  const share = (from: number, to: number) => sumOf(successes, from, to) / sumOf(sizes, from, to)
  const length = counted.length
  const simulate = simulator(sizes, share(0, length), seed)
  let asLarge = 1
  for (let i = 0; i < SIMULATIONS; i++) {
    if (bestSplit(simulate(), sizes).gain >= gain - 1e-9) asLarge++
  }
  return {
    step: counted[split]!.step,
    before: share(0, split),
    after: share(split, length),
    pValue: asLarge / (SIMULATIONS + 1),
  }
}

function bestSplit(successes: Float64Array, sizes: Float64Array): { split: number; gain: number } {
  const [allX, allN] = [sumOf(successes, 0, sizes.length), sumOf(sizes, 0, sizes.length)]
  const whole = likelihood(allX, allN)
  let best = { split: 1, gain: 0 }
  let [x, n] = [0, 0]
  for (let split = 1; split < sizes.length; split++) {
    x += successes[split - 1]!
    n += sizes[split - 1]!
    const gain = likelihood(x, n) + likelihood(allX - x, allN - n) - whole
    if (gain > best.gain) best = { split, gain }
  }
  return best
}

const likelihood = (x: number, n: number) => xLogShare(x, n) + xLogShare(n - x, n)
const xLogShare = (x: number, n: number) => (x <= 0 ? 0 : x * Math.log(x / n))

function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i++) sum += values[i]!
  return sum
}

/** Simulated counts at every step from one common rate, by inversion. */
function simulator(sizes: Float64Array, rate: number, seed: number): () => Float64Array {
  const stream = randomStream(seed, 'change point')
  const tables = new Map<number, Float64Array>()
  const tableOf = (n: number) => {
    const known = tables.get(n)
    if (known) return known
    const made = cumulative(n, rate)
    tables.set(n, made)
    return made
  }
  return () => sizes.map((n) => countBelow(tableOf(n), stream.uniform()))
}

/** P[Bin(n, p) ≤ k] for k = 0 … n, computed from the mode outwards to avoid underflow. */
function cumulative(n: number, p: number): Float64Array {
  const terms = new Float64Array(n + 1)
  const mode = Math.min(n, Math.floor((n + 1) * p))
  terms[mode] = 1
  for (let k = mode; k < n; k++) terms[k + 1] = (terms[k]! * (n - k) * p) / ((k + 1) * (1 - p))
  for (let k = mode; k > 0; k--) terms[k - 1] = (terms[k]! * k * (1 - p)) / ((n - k + 1) * p)
  const total = sumOf(terms, 0, n + 1)
  let sum = 0
  return terms.map((term) => (sum += term / total))
}

function countBelow(table: Float64Array, u: number): number {
  let [low, high] = [0, table.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if (table[middle]! > u) high = middle
    else low = middle + 1
  }
  return low
}
