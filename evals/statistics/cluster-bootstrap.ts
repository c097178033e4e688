/**
 * @file The bootstrap over prompts where each has several replies (samples, seeds): a prompt is drawn with all of them.
 *
 * Field and Welsh, "Bootstrapping clustered data", Journal of the Royal Statistical Society B 69 (2007). With `seeds` the
 * trainings are drawn too, crossed with the prompts: Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1 (2007),
 * which is never too narrow on average but needs more than a handful of seeds to be stable.
 */
import { bootstrap, type BootstrapInterval, type BootstrapOptions } from './bootstrap.ts'
import { randomStream } from './random.ts'
import type { PromptPair } from './repeated.ts'

/** Mean over prompts of (mean before − mean after). Every prompt weighs the same, however many replies it has. */
export function clusterDifference(
  prompts: readonly PromptPair[],
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
