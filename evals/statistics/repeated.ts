/**
 * @file Rates with several replies per prompt. The prompt is the unit, and all prompts have the same weight.
 *
 * p̂ = mean over P prompts of each prompt's mean m; Var̂(p̂) = s²/P with s² the variance between the prompts' means, which
 * includes the variance of both prompts and decoding. The effective number n* = p̂(1 − p̂)/Var̂(p̂), between P and the number
 * of replies, replaces n in Wilson's interval (Korn and Graubard, Survey Methodology 24 (1998); Franco, Little, Louis and Slud,
 * Journal of Survey Statistics and Methodology 7 (2019)). The difference is Newcombe's square-and-add with the correlation of
 * the prompts' means (Zou and Donner, Statistics in Medicine 27 (2008)). With one reply per prompt these are exactly Wilson's
 * and Newcombe's intervals.
 */
import type { PairedChange } from './paired/non-inferiority.ts'
import { squareAndAdd } from './paired/paired.ts'
import { wilsonOfShare, Z95, type Interval } from './proportion.ts'
import { meanOf } from './summary.ts'

/** Scores of one prompt, before and after; the numbers of replies may differ. */
export interface PromptPair {
  readonly before: readonly number[]
  readonly after: readonly number[]
  /** Prompts of one cluster (a template, a document, a conversation) may be alike; absent where a prompt stands by itself. */
  readonly cluster?: string
}

interface RepeatedRate extends Interval {
  readonly estimate: number
  /** n*, the equivalent number of independent replies. */
  readonly effective: number
}

interface RepeatedDifference extends Interval {
  /** Means over prompts; `difference` = before − after. */
  readonly before: number
  readonly after: number
  readonly difference: number
}

/** `scores[prompt][reply]`, at least one reply per prompt. Null without prompts. */
export function repeatedRate(scores: readonly (readonly number[])[], z = Z95): RepeatedRate | null {
  if (scores.length === 0) return null
  const { share, effective } = momentsOf(scores)
  return { estimate: share, effective, ...wilsonOfShare(share, effective, z) }
}

/** The change of a rate on the same prompts, within [−1, 1]. Null without prompts. */
export function repeatedDifference(
  prompts: readonly PromptPair[],
  z = Z95,
): RepeatedDifference | null {
  if (prompts.length === 0) return null
  const one = momentsOf(prompts.map(({ before }) => before))
  const two = momentsOf(prompts.map(({ after }) => after))
  const limited = ({ share, effective }: Moments) => ({
    share,
    ...wilsonOfShare(share, effective, z),
  })
  const difference = squareAndAdd(limited(one), limited(two), correlation(one, two))
  return { before: one.share, after: two.share, ...difference }
}

/**
 * Counts for the exact test where replies of a prompt are dependent: n* equivalent prompts of one reply each. n* : P = (variance
 * of one reply's change)/(variance of a prompt's mean change), from 1 to the most replies per prompt. Counts are rounded to
 * whole numbers `towards` more harm (to show that it is small) or less (to show that it is large); harm is before − after.
 */
export function effectiveChange(
  prompts: readonly PromptPair[],
  towards: 'more' | 'less',
): PairedChange {
  const P = prompts.length
  const { lost, gained, changes } = changesOf(prompts)
  const harm = lost - gained
  const squares = changes.reduce((sum, change) => sum + (change - harm) ** 2, 0)
  const most = Math.max(1, ...prompts.flatMap(({ before, after }) => [before.length, after.length]))
  const worth = squares > NO_SQUARES ? ((lost + gained - harm * harm) * (P - 1)) / squares : 1
  const n = Math.floor(P * Math.min(most, Math.max(1, worth)) + ROUNDING)
  const up = (share: number) => Math.max(0, Math.ceil(n * share - ROUNDING))
  const down = (share: number) => Math.floor(n * share + ROUNDING)
  return towards === 'more'
    ? { lost: Math.min(n, up(lost)), gained: down(gained), n }
    : { lost: down(lost), gained: Math.min(n, up(gained)), n }
}

/** A smaller sum of squares is rounding: means of at most 10⁵ replies differ by 10⁻⁵ or not at all. */
const NO_SQUARES = 1e-12

/** Tolerance for rounding in sums of shares, so that whole numbers stay whole. */
const ROUNDING = 1e-9

/** Shares of replies lost and gained, all prompts with the same weight, and each prompt's mean change. */
function changesOf(prompts: readonly PromptPair[]) {
  const one = prompts.map(({ before }) => meanOf(before))
  const two = prompts.map(({ after }) => meanOf(after))
  // Replies before and after are sampled independently, so every reply before is paired with every reply after.
  const lost = meanOf(one.map((before, i) => before * (1 - two[i]!)))
  const gained = meanOf(one.map((before, i) => (1 - before) * two[i]!))
  return { lost, gained, changes: one.map((before, i) => before - two[i]!) }
}

interface Moments {
  readonly means: readonly number[]
  readonly share: number
  /** Standard deviation of the prompts' means. */
  readonly sd: number
  readonly effective: number
}

function momentsOf(scores: readonly (readonly number[])[]): Moments {
  const P = scores.length
  const means = scores.map(meanOf)
  const share = meanOf(means)
  const squares = means.reduce((sum, mean) => sum + (mean - share) ** 2, 0)
  const replies = scores.reduce((sum, { length }) => sum + length, 0)
  // Without variance between prompts there is no evidence that a prompt's replies are worth more than one.
  const worth = squares > NO_SQUARES ? (share * (1 - share) * P * (P - 1)) / squares : P
  const effective = Math.min(replies, Math.max(P, worth))
  return { means, share, sd: Math.sqrt(squares / P), effective }
}

/** With Newcombe's continuity correction, which is n/2 in counts with one reply per prompt: 1/2P of the covariance. */
function correlation(one: Moments, two: Moments): number {
  const P = one.means.length
  if (one.sd === 0 || two.sd === 0) return 0
  const both = one.means.reduce((sum, mean, i) => sum + mean * two.means[i]!, 0) / P
  const covariance = both - one.share * two.share
  const corrected = covariance > 1 / (2 * P) ? covariance - 1 / (2 * P) : Math.min(covariance, 0)
  return corrected / (one.sd * two.sd)
}
