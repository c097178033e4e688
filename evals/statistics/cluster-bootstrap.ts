/**
 * @file The bootstrap over prompts with several scores each: a prompt is drawn with all its scores.
 *
 * Field and Welsh, "Bootstrapping clustered data", Journal of the Royal Statistical Society B 69 (2007).
 */
import { bootstrap, type BootstrapInterval, type BootstrapOptions } from './bootstrap.ts'
import type { PromptPair } from './repeated.ts'
import { meanOf } from './summary.ts'

/** Mean over prompts of (mean before − mean after). All prompts have the same weight, whatever their number of replies. */
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
