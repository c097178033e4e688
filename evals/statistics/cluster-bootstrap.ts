/**
 * @file The bootstrap over prompts where each has several replies (samples, seeds): a prompt is drawn with all of them.
 *
 * Field and Welsh, "Bootstrapping clustered data", Journal of the Royal Statistical Society B 69 (2007). With `seeds` the
 * trainings are drawn too, crossed with the prompts: Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1 (2007),
 * which is never too narrow on average but needs more than a handful of seeds to be stable.
 */
import { bootstrap, type BootstrapInterval, type BootstrapOptions } from './bootstrap.ts'
import { randomStream } from './random.ts'

/** Scores of one prompt, before and after; the numbers of replies may differ. */
export interface PairedCluster {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

/** Mean over prompts of (mean before − mean after). Every prompt weighs the same, however many replies it has. */
export function clusterDifference(
  prompts: readonly PairedCluster[],
  options: BootstrapOptions,
): BootstrapInterval {
  const differences = prompts.map(({ before, after }) => meanOf(before) - meanOf(after))
  const mean = (drawn: Uint32Array) => {
    if (drawn.length === 0) return null
    let sum = 0
    for (const prompt of drawn) sum += differences[prompt]!
    return sum / drawn.length
  }
  return bootstrap(prompts.length, mean, options)
}

/** Mean of `scores[seed][prompt]` (each the mean over samples), prompts and seeds both drawn anew. */
export function crossedMean(
  scores: readonly (readonly number[])[],
  options: BootstrapOptions,
): BootstrapInterval {
  const prompts = scores[0]?.length ?? 0
  if (scores.some((seed) => seed.length !== prompts)) {
    throw new Error('internal: the crossed bootstrap needs as many prompts for every seed')
  }
  const stream = randomStream(options.seed, 'bootstrap over seeds')
  let isFirst = true
  return bootstrap(
    prompts,
    (drawn) => {
      // The first call is the estimate, of the seeds as they are.
      const seeds = isFirst ? scores : scores.map(() => scores[stream.integer(scores.length)]!)
      isFirst = false
      let sum = 0
      for (const seed of seeds) for (const prompt of drawn) sum += seed[prompt]!
      return drawn.length === 0 ? null : sum / (seeds.length * drawn.length)
    },
    options,
  )
}

function meanOf(values: readonly number[]): number {
  if (values.length === 0) throw new Error('internal: a prompt without replies')
  return values.reduce((sum, x) => sum + x, 0) / values.length
}

/**
 * One-sided tests of the mean difference against a margin: the share of resamples, counting the data itself, at or beyond
 * it. `below` is of "the difference is at least the margin", `above` of "at most"; approximate, and better with more prompts.
 */
export function clusterMarginTests(
  prompts: readonly PairedCluster[],
  margin: number,
  { seed, resamples = 10_000 }: BootstrapOptions,
): { below: number; above: number } {
  const differences = prompts.map(({ before, after }) => meanOf(before) - meanOf(after))
  const stream = randomStream(seed, 'bootstrap against a margin')
  let [atLeast, atMost] = [1, 1]
  for (let r = 0; r < resamples; r++) {
    let sum = 0
    for (let i = 0; i < differences.length; i++) sum += differences[stream.integer(prompts.length)]!
    // Sums of shares carry rounding: a tie with the margin counts on both sides.
    const rest = sum / differences.length - margin
    if (rest >= -1e-12) atLeast++
    if (rest <= 1e-12) atMost++
  }
  return { below: atLeast / (resamples + 1), above: atMost / (resamples + 1) }
}
