/**
 * @file Variance components of a score: seed × prompt, crossed, with r decoding samples per cell.
 *
 * y_spr = μ + S_s + P_p + (SP)_sp + ε_spr. Henderson's method 1 for balanced data (Searle, Casella and McCulloch, "Variance
 * Components", 1992, chapter 4): σ²_ε = MS_E, σ²_SP = (MS_SP − MS_E)/r, σ²_S = (MS_S − MS_SP)/(P r), σ²_P = (MS_P − MS_SP)/(S
 * r). Negative estimates are kept: cutting them at 0 would bias the components upwards.
 */
import { meanOf } from './summary.ts'

interface VarianceComponents {
  readonly mean: number
  readonly seed: number
  readonly prompt: number
  /** Interaction of seed and prompt; with one sample per cell it includes `sample`. */
  readonly seedByPrompt: number
  /** Between repeated replies; null with one reply per cell. */
  readonly sample: number | null
  /** Standard error of the mean over these prompts, from one further training with as many samples. */
  readonly standardErrorOverSeeds: number
}

/** `scores[seed][prompt][sample]`, all of one shape. Null with fewer than two seeds or two prompts. */
export function varianceComponents(
  scores: readonly (readonly (readonly number[])[])[],
): VarianceComponents | null {
  const S = scores.length
  const P = scores[0]?.length ?? 0
  const r = scores[0]?.[0]?.length ?? 0
  if (scores.some((seed) => seed.length !== P || seed.some((cell) => cell.length !== r))) {
    throw new Error('internal: variance components need as many prompts and samples for every seed')
  }
  if (S < 2 || P < 2 || r < 1) return null
  const cells = scores.map((seed) => seed.map(meanOf))
  const seeds = cells.map(meanOf)
  const prompts = cells[0]!.map((_, p) => meanOf(cells.map((seed) => seed[p]!)))
  const mean = meanOf(seeds)
  const msSeed = (P * r * squares(seeds.map((x) => x - mean))) / (S - 1)
  const msPrompt = (S * r * squares(prompts.map((x) => x - mean))) / (P - 1)
  const rest = cells.flatMap((seed, s) => seed.map((x, p) => x - seeds[s]! - prompts[p]! + mean))
  const msBoth = (r * squares(rest)) / ((S - 1) * (P - 1))
  const within = scores.flatMap((seed, s) =>
    seed.flatMap((cell, p) => cell.map((x) => x - cells[s]![p]!)),
  )
  const sample = r > 1 ? squares(within) / (S * P * (r - 1)) : null
  const seed = (msSeed - msBoth) / (P * r)
  return {
    mean,
    seed,
    prompt: (msPrompt - msBoth) / (S * r),
    seedByPrompt: sample === null ? msBoth : (msBoth - sample) / r,
    sample,
    standardErrorOverSeeds: Math.sqrt(msSeed / (P * r)),
  }
}

const squares = (values: readonly number[]) => values.reduce((sum, x) => sum + x * x, 0)
