/**
 * @file The statistic of the test for a peak, and its null distribution.
 *
 *     t_ij = mean_s(y_sj − y_si) / √(max(v_ij, v̄) / n_ij)    v_ij the variance of that difference over seeds, v̄ their mean
 *     T = max over i < j < k of min(t_ij, t_kj)                the best place with lower ones on both sides
 *     M = max over i < j < last of t_ij                        T's bound where the last place lies far below
 *
 * Among curves that fall, rise, or fall and then rise, T is largest by chance for one that is flat and drops at its end.
 * So T is compared with M of a flat curve. Taking the larger of own and pooled variance keeps one noisy place from making a
 * peak; the null also covers noise in only a few places.
 */
import { clopperPearson } from '../../statistics/exact-binomial.ts'
import { randomStream } from '../../statistics/random.ts'

/** y `[seeds, places]`, NaN where a cell is missing. */
export interface Grid {
  readonly seeds: number
  readonly places: number
  readonly y: Float64Array
}

/** For i < j at `i * places + j`, over the n seeds that have both places; NaN where they are too few. */
export interface Differences {
  readonly places: number
  /** Mean of y_j − y_i. */
  readonly mean: Float64Array
  /** Standard error of that mean. */
  readonly error: Float64Array
  /** v̄, the variance of a difference of two places; NaN where there is no pair. */
  readonly pooledVariance: number
}

export const FEWEST_SEEDS = 3
/** A peak has places on both sides. */
export const FEWEST_PLACES = 3
export const NULL_ROUNDS = 10_000
/** Drawn anew where none of the first ones reaches T. */
export const DEEP_ROUNDS = 40_000
/** Error probability of both limits together, 0.001 each. */
const NULL_CONFIDENCE = 0.998
const NOISY_SIZES = 6
/** Noise of the quiet places, relative to the noisy ones. */
const QUIET = 0.1
const KEPT_NULLS = 64

/** All pairs of places. A missing cell is NaN (the only value with x ≠ x). */
export function differencesOf({ seeds, places, y }: Grid): Differences {
  const mean = new Float64Array(places ** 2)
  const error = new Float64Array(places ** 2)
  const counts = new Uint32Array(places ** 2)
  const end = places * seeds
  let [sum, pairs] = [0, 0]
  for (let i = 0; i < places; i++) {
    for (let j = i + 1; j < places; j++) {
      let n = 0
      let total = 0
      for (let row = 0; row < end; row += places) {
        const d = y[row + j]! - y[row + i]!
        if (d !== d) continue
        total += d
        n++
      }
      const average = total / n
      let squares = 0
      for (let row = 0; row < end; row += places) {
        const off = y[row + j]! - y[row + i]! - average
        if (off === off) squares += off * off
      }
      const at = i * places + j
      const isKnown = n >= FEWEST_SEEDS
      mean[at] = isKnown ? average : NaN
      error[at] = isKnown ? squares / (n - 1) : NaN
      counts[at] = n
      if (!isKnown) continue
      sum += squares / (n - 1)
      pairs++
    }
  }
  const pooledVariance = sum / pairs
  error.forEach((own, at) => {
    error[at] = Math.sqrt(Math.max(own, pooledVariance) / counts[at]!)
  })
  return { places, mean, error, pooledVariance }
}

/** A place j, the places i and k above which it is highest, and the smaller of these two heights. */
export interface Triple {
  readonly i: number
  readonly j: number
  readonly k: number
  readonly height: number
}

/** With heights in standard errors: T and its place; undefined if no inner place can be compared on both sides. */
export const bestTriple = (differences: Differences): Triple | undefined =>
  highest(differences, ({ mean, error }, at) => mean[at]! / error[at]!)

/** With heights in units of y. */
export const highestTriple = (differences: Differences): Triple | undefined =>
  highest(differences, ({ mean }, at) => mean[at]!)

function highest(
  differences: Differences,
  heightOf: (differences: Differences, at: number) => number,
): Triple | undefined {
  const { places } = differences
  let best: Triple | undefined
  for (let j = 1; j < places - 1; j++) {
    const left = largest(0, j, (i) => heightOf(differences, i * places + j))
    const right = largest(j + 1, places, (k) => -heightOf(differences, j * places + k))
    if (!left || !right) continue
    const height = Math.min(left.height, right.height)
    if (!best || height > best.height) best = { i: left.at, j, k: right.at, height }
  }
  return best
}

function largest(from: number, to: number, heightOf: (at: number) => number) {
  let best: { at: number; height: number } | undefined
  for (let at = from; at < to; at++) {
    const height = heightOf(at)
    if (!Number.isNaN(height) && !(best && best.height >= height)) best = { at, height }
  }
  return best
}

/** Sums over the seeds that have both places, for i < j at `i * places + j`: enough for noise of any size by place. */
interface PairSums {
  readonly count: Float64Array
  readonly left: Float64Array
  readonly right: Float64Array
  readonly leftSquares: Float64Array
  readonly rightSquares: Float64Array
  readonly products: Float64Array
}

const emptySums = (places: number): PairSums => {
  const room = () => new Float64Array(places ** 2)
  const [count, left, right] = [room(), room(), room()]
  return { count, left, right, leftSquares: room(), rightSquares: room(), products: room() }
}

function addUp({ places, y }: Grid, into: PairSums): void {
  const { count, left, right, leftSquares, rightSquares, products } = into
  for (const each of Object.values(into) as Float64Array[]) each.fill(0)
  for (let row = 0; row < y.length; row += places) {
    for (let i = 0; i < places; i++) {
      const a = y[row + i]!
      if (a !== a) continue
      for (let j = i + 1, at = i * places + j; j < places; j++, at++) {
        const b = y[row + j]!
        if (b !== b) continue
        count[at]!++
        left[at]! += a
        right[at]! += b
        leftSquares[at]! += a * a
        rightSquares[at]! += b * b
        products[at]! += a * b
      }
    }
  }
}

/** M of the noise that was added up, with standard deviations `sd` by place. `variance` is room for `[places²]`. */
function boundOf(places: number, sums: PairSums, sd: Float64Array, variance: Float64Array): number {
  const { count, left, right, leftSquares, rightSquares, products } = sums
  let [total, pairs] = [0, 0]
  for (let i = 0; i < places; i++) {
    for (let j = i + 1, at = i * places + j; j < places; j++, at++) {
      const n = count[at]!
      if (n < FEWEST_SEEDS) continue
      const [a, b] = [sd[i]!, sd[j]!]
      const difference = b * right[at]! - a * left[at]!
      const squares =
        b * b * rightSquares[at]! + a * a * leftSquares[at]! - 2 * a * b * products[at]!
      variance[at] = (squares - (difference * difference) / n) / (n - 1)
      total += variance[at]!
      pairs++
    }
  }
  const pooled = total / pairs
  let most = -Infinity
  for (let j = 1; j < places - 1; j++) {
    for (let i = 0, at = j; i < j; i++, at += places) {
      const n = count[at]!
      if (n < FEWEST_SEEDS) continue
      const difference = sd[j]! * right[at]! - sd[i]! * left[at]!
      const t = difference / Math.sqrt(n * Math.max(variance[at]!, pooled))
      if (t > most) most = t
    }
  }
  return most
}

/**
 * Profiles of standard deviations by place: equal; large in the first m places; large in m places from the second on. The
 * last place is not part of M, so these are all relative positions of m noisy places.
 */
function noiseProfiles(places: number): Float64Array[] {
  const noisy = (from: number, size: number) =>
    Float64Array.from({ length: places }, (_, at) => (at >= from && at < from + size ? 1 : QUIET))
  const sizes = (from: number) => spread(2 - from, places - 1 - from).map((m) => noisy(from, m))
  return [noisy(0, places), ...sizes(0), ...sizes(1)]
}

/** At most `NOISY_SIZES` integers from `least` to `most`, small ones preferred. */
function spread(least: number, most: number): number[] {
  const all = Array.from({ length: most - least + 1 }, (_, i) => least + i)
  const step = Math.max(1, (all.length - 2) / (NOISY_SIZES - 2))
  return all.filter((_, i) => i < 2 || Math.floor((i - 1) / step) > Math.floor((i - 2) / step))
}

/** A key of which cells exist. */
export const cellsOf = ({ seeds, places, y }: Grid): string =>
  `${seeds} ${places} ${y.map((value) => (Number.isNaN(value) ? 1 : 0)).join('')}`

/** M for each noise profile, ascending `[profiles][rounds]`. */
type Null = readonly Float64Array[]
const nulls = new Map<string, Null>()

/** M by simulation with normal noise and the same cells missing. Deterministic, so results are cached. */
export function nullOf(grid: Grid, rounds = NULL_ROUNDS): Null {
  const { seeds, places, y } = grid
  const key = `${rounds} ${cellsOf(grid)}`
  const known = nulls.get(key)
  if (known) return known
  const label = rounds === NULL_ROUNDS ? '' : `, ${rounds} rounds`
  const stream = randomStream(0, `null distribution of a peak${label}`)
  const profiles = noiseProfiles(places)
  const found = profiles.map(() => new Float64Array(rounds))
  const [noise, sums, variance] = [y.slice(), emptySums(places), new Float64Array(places ** 2)]
  for (let round = 0; round < rounds; round++) {
    y.forEach((value, at) => {
      noise[at] = Number.isNaN(value) ? NaN : stream.normal()
    })
    addUp({ seeds, places, y: noise }, sums)
    profiles.forEach((sd, p) => {
      found[p]![round] = boundOf(places, sums, sd, variance)
    })
  }
  for (const each of found) each.sort()
  if (nulls.size >= KEPT_NULLS) nulls.clear()
  nulls.set(key, found)
  return found
}

/**
 * P(M ≥ T) under the noise profile that makes it largest: the upper 99.9 % limit (Clopper and Pearson) of the simulated
 * share, so simulation error cannot raise the size of the test above α. Where no round reaches T, more are drawn, so that a
 * clear peak still stands after Holm's correction.
 */
export function pValue(grid: Grid, T: number): number {
  const most = mostReaching(nullOf(grid), T)
  return most > 0
    ? upperLimit(most)
    : upperLimit(mostReaching(nullOf(grid, DEEP_ROUNDS), T), DEEP_ROUNDS)
}

const mostReaching = (all: Null, T: number) =>
  Math.max(...all.map((each) => each.length - firstAtLeast(each, T)))

/** The smallest simulated T with p ≤ α. */
export const criticalValue = (grid: Grid, α: number): number =>
  Math.max(...nullOf(grid).map((each) => each[NULL_ROUNDS - roundsAllowed(α)]!))

const allowed = new Map<number, number>()

/** How many rounds may reach the critical value. */
function roundsAllowed(α: number): number {
  const known = allowed.get(α)
  if (known !== undefined) return known
  let count = Math.floor(α * NULL_ROUNDS)
  while (count > 1 && upperLimit(count) > α) count--
  allowed.set(α, count)
  return count
}

const upperLimit = (count: number, rounds = NULL_ROUNDS): number =>
  clopperPearson(count, rounds, NULL_CONFIDENCE).upper

function firstAtLeast(sorted: Float64Array, T: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]! >= T) high = middle
    else low = middle + 1
  }
  return low
}
