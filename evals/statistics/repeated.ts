/**
 * @file Rates with several replies per prompt. The prompt is the unit, and all prompts have the same weight.
 *
 * p̂ = mean over P prompts of each prompt's mean m; Var̂(p̂) = s²/P with s² the variance between the prompts' means, which
 * includes the variance of both prompts and decoding. The effective number n* = p̂(1 − p̂)/Var̂(p̂), between P and the number
 * of replies, replaces n in Wilson's interval (Korn and Graubard, Survey Methodology 24 (1998); Franco, Little, Louis and Slud,
 * Journal of Survey Statistics and Methodology 7 (2019)). The difference is Newcombe's square-and-add with the correlation of
 * the prompts' means (Zou and Donner, Statistics in Medicine 27 (2008)). With one reply per prompt these are exactly Wilson's
 * and Newcombe's intervals. Where prompts have clusters, Var̂(p̂) is cluster-robust (clusters.ts), n* may fall below P, and the
 * correlation is that of the clusters' sums.
 */
import { clusteredMean, clusterSums, effectiveNumber } from './clusters.ts'
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
export function repeatedRate(
  scores: readonly (readonly number[])[],
  z = Z95,
  clusters = labelsOf(scores.map(() => ({}))),
): RepeatedRate | null {
  if (scores.length === 0) return null
  const { share, effective } = momentsOf(scores, clusters)
  return { estimate: share, effective, ...wilsonOfShare(share, effective, z) }
}

/** The name of each prompt's cluster; a prompt without one is its own. */
export const labelsOf = (prompts: readonly Pick<PromptPair, 'cluster'>[]): string[] =>
  prompts.map(({ cluster }, i) => (cluster === undefined ? `\u0000${i}` : cluster))

/** Whether two prompts are of one cluster. */
export function isClustered(prompts: readonly Pick<PromptPair, 'cluster'>[]): boolean {
  const seen = new Set<string>()
  return prompts.some(
    ({ cluster }) => cluster !== undefined && seen.size === seen.add(cluster).size,
  )
}

/** The change of a rate on the same prompts, within [−1, 1]. Null without prompts. */
export function repeatedDifference(
  prompts: readonly PromptPair[],
  z = Z95,
): RepeatedDifference | null {
  if (prompts.length === 0) return null
  const clusters = labelsOf(prompts)
  const moments = (side: 'before' | 'after') =>
    momentsOf(
      prompts.map((prompt) => prompt[side]),
      clusters,
    )
  const [one, two] = [moments('before'), moments('after')]
  const limited = ({ share, effective }: Moments) => ({
    share,
    ...wilsonOfShare(share, effective, z),
  })
  const difference = squareAndAdd(limited(one), limited(two), correlation(one, two))
  return { before: one.share, after: two.share, ...difference }
}

/**
 * Counts for the exact test where replies of a prompt or a cluster are dependent: n* equivalent prompts of one reply each. n* =
 * (variance of one reply's change)/Var̂(mean change). Counts are rounded to whole numbers `towards` more harm (to show that it is
 * small) or less (to show that it is large); harm is before − after.
 */
export function effectiveChange(
  prompts: readonly PromptPair[],
  towards: 'more' | 'less',
): PairedChange {
  const { lost, gained, changes } = changesOf(prompts)
  const most = prompts.reduce(
    (sum, { before, after }) => sum + Math.max(before.length, after.length),
    0,
  )
  const mean = clusteredMean(changes, labelsOf(prompts))
  const size = { observations: prompts.length, most }
  const worth = mean ? effectiveNumber(lost + gained - (lost - gained) ** 2, mean, size) : 1
  const n = Math.floor(worth + ROUNDING)
  const up = (share: number) => Math.max(0, Math.ceil(n * share - ROUNDING))
  const down = (share: number) => Math.floor(n * share + ROUNDING)
  return towards === 'more'
    ? { lost: Math.min(n, up(lost)), gained: down(gained), n }
    : { lost: down(lost), gained: Math.min(n, up(gained)), n }
}

/** Tolerance for rounding in sums of shares, so that whole numbers stay whole. */
const ROUNDING = 1e-9

/** Shares of replies lost and gained, all prompts with the same weight, and each prompt's mean change. */
export function changesOf(prompts: readonly PromptPair[]) {
  const one = prompts.map(({ before }) => meanOf(before))
  const two = prompts.map(({ after }) => meanOf(after))
  // Replies before and after are sampled independently, so every reply before is paired with every reply after.
  const lost = meanOf(one.map((before, i) => before * (1 - two[i]!)))
  const gained = meanOf(one.map((before, i) => (1 - before) * two[i]!))
  return { lost, gained, changes: one.map((before, i) => before - two[i]!) }
}

interface Moments {
  /** Each cluster's sum of (mean of a prompt − share). */
  readonly sums: readonly number[]
  readonly prompts: number
  readonly share: number
  /** Root of the sums' mean square per prompt: without clusters the standard deviation of the prompts' means. */
  readonly sd: number
  readonly effective: number
}

function momentsOf(scores: readonly (readonly number[])[], clusters: readonly string[]): Moments {
  const prompts = scores.length
  const means = scores.map(meanOf)
  const share = meanOf(means)
  const most = scores.reduce((sum, { length }) => sum + length, 0)
  const sums = clusterSums(
    means.map((mean) => mean - share),
    clusters,
  ).map(({ sum }) => sum)
  const mean = clusteredMean(means, clusters)
  const size = { observations: prompts, most }
  const squares = sums.reduce((sum, own) => sum + own * own, 0)
  const effective = mean ? effectiveNumber(share * (1 - share), mean, size) : 1
  return { sums, prompts, share, sd: Math.sqrt(squares / prompts), effective }
}

/** With Newcombe's continuity correction for as many pairs as there are clusters: n/2 in counts with one reply per prompt. */
function correlation(one: Moments, two: Moments): number {
  const { prompts: P, sums } = one
  if (one.sd === 0 || two.sd === 0) return 0
  const covariance = sums.reduce((sum, own, g) => sum + own * two.sums[g]!, 0) / P
  const step = P / (2 * sums.length ** 2)
  const corrected = covariance > step ? covariance - step : Math.min(covariance, 0)
  return corrected / (one.sd * two.sd)
}
