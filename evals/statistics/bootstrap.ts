/**
 * @file The percentile bootstrap over prompts: a prompt is drawn with all its samples, before and after together.
 *
 * Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. If all prompts have the same score, the interval
 * has width 0; report Wilson's interval beside it.
 */
import { randomStream } from './random.ts'
import { requireCounts, requireShare } from './require.ts'

export interface BootstrapOptions {
  readonly seed: number
  /** Default 10,000. */
  readonly resamples?: number
  /** Default 0.95. */
  readonly confidence?: number
}

/** A limit is null if resamples without a value (a zero denominator) reach into its tail. */
export interface BootstrapInterval {
  readonly estimate: number | null
  readonly lower: number | null
  readonly upper: number | null
}

/** The q-quantile of ascending `sorted`, linear between neighbours (Hyndman and Fan's type 7); null if not finite. */
function quantile(sorted: Float64Array, q: number): number | null {
  const place = (sorted.length - 1) * q
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!]
  const value = low === high ? low : low + (high - low) * (place - Math.floor(place))
  return Number.isFinite(value) ? value : null
}

/** A resample without a value could lie beyond either limit, so it counts as beyond both. */
function limits(
  values: Float64Array,
  confidence: number,
): { lower: number | null; upper: number | null } {
  const tail = (1 - confidence) / 2
  const withMissingAs = (extreme: number) =>
    values.map((value) => (Number.isNaN(value) ? extreme : value)).sort()
  return {
    lower: quantile(withMissingAs(-Infinity), tail),
    upper: quantile(withMissingAs(Infinity), 1 - tail),
  }
}

/**
 * The interval of `statistic(drawn)`, called with the indices of the drawn prompts, 0 … n − 1; it returns null where it has no
 * value. It must not change the array.
 */
export function bootstrap(
  prompts: number,
  statistic: (drawn: Uint32Array) => number | null,
  options: BootstrapOptions,
): BootstrapInterval {
  const { seed, resamples = 10_000, confidence = 0.95 } = options
  requireCounts({ prompts, resamples, 'resamples − 1': resamples - 1 })
  requireShare('confidence', confidence)
  if (prompts === 0) return { estimate: null, lower: null, upper: null }
  const estimate = statistic(Uint32Array.from({ length: prompts }, (_, i) => i))
  if (estimate === null) return { estimate, lower: null, upper: null }
  const draw = drawing(prompts, resamples, seed)
  const values = Float64Array.from({ length: resamples }, (_, r) => statistic(draw(r)) ?? NaN)
  return { estimate, ...limits(values, confidence) }
}

/** The last draws, at most so many, since most states of a run are compared on as many prompts with the same seed. */
const kept = { of: '', drawn: new Uint32Array(0) }
const MOST_KEPT = 4_000_000

/** Resample `r`, to be asked from 0 on in turn. */
function drawing(prompts: number, resamples: number, seed: number): (r: number) => Uint32Array {
  const stream = randomStream(seed, 'bootstrap')
  const fill = <T extends Uint32Array>(drawn: T) => {
    for (let i = 0; i < drawn.length; i++) drawn[i] = stream.integer(prompts)
    return drawn
  }
  if (prompts * resamples > MOST_KEPT) {
    const drawn = new Uint32Array(prompts)
    return () => fill(drawn)
  }
  const of = [prompts, resamples, seed].join()
  if (kept.of !== of) {
    kept.drawn = fill(new Uint32Array(prompts * resamples))
    kept.of = of
  }
  const { drawn } = kept
  return (r) => drawn.subarray(r * prompts, (r + 1) * prompts)
}

/** The mean over all samples, `scores[prompt][sample]`. */
export function bootstrapMean(
  scores: readonly (readonly number[])[],
  options: BootstrapOptions,
): BootstrapInterval {
  const sums = scores.map((samples) => samples.reduce((sum, x) => sum + x, 0))
  const mean = (drawn: Uint32Array) => {
    let [sum, count] = [0, 0]
    for (const prompt of drawn) {
      sum += sums[prompt]!
      count += scores[prompt]!.length
    }
    return count === 0 ? null : sum / count
  }
  return bootstrap(scores.length, mean, options)
}

/**
 * (accuracy after − chance)/(accuracy before − chance) over paired prompts; `before[i]` and `after[i]`, in [0, 1], belong to
 * the same prompt. Null where the accuracy before is not above chance.
 */
export function capabilityRetention(
  before: readonly number[],
  after: readonly number[],
  options: BootstrapOptions & { readonly chance?: number },
): BootstrapInterval {
  if (before.length !== after.length) throw new Error('internal: retention needs paired prompts')
  const { chance = 0 } = options
  const retention = (drawn: Uint32Array) => {
    let [sumBefore, sumAfter] = [0, 0]
    for (const prompt of drawn) {
      sumBefore += before[prompt]!
      sumAfter += after[prompt]!
    }
    const atChance = chance * drawn.length
    return sumBefore > atChance ? (sumAfter - atChance) / (sumBefore - atChance) : null
  }
  return bootstrap(before.length, retention, options)
}
