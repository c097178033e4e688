/**
 * @file Times until something fails, some of them censored: it had not failed when the watching ended.
 *
 * Kaplan and Meier, JASA 53 (1958): Ŝ(t) = Π_{tᵢ ≤ t} (1 − dᵢ/nᵢ), dᵢ failures among nᵢ at risk. Log-rank: Mantel, Cancer
 * Chemotherapy Reports 50 (1966); Peto and Peto, JRSS A 135 (1972).
 */
import { clopperPearson } from './exact-binomial.ts'
import { normalLowerTail } from './normal.ts'
import type { Interval } from './proportion.ts'
import { Z95 } from './proportion.ts'
import type { RandomStream } from './random.ts'

export interface Lifetime {
  readonly time: number
  /** False if it was still whole at `time`. */
  readonly hasFailed: boolean
}

/** From `time` on, up to the next point. */
interface SurvivalPoint extends Interval {
  readonly time: number
  readonly atRisk: number
  readonly failed: number
  readonly surviving: number
}

/** One point for each time at which something failed, ascending, with pointwise 95 % limits. */
export function survivalCurve(lifetimes: readonly Lifetime[]): SurvivalPoint[] {
  let surviving = 1
  // Σ d/(n(n − d)), Greenwood's sum.
  let greenwood = 0
  return failureTimes(lifetimes).map((time) => {
    const atRisk = lifetimes.filter((life) => life.time >= time).length
    const failed = lifetimes.filter((life) => life.hasFailed && life.time === time).length
    surviving *= 1 - failed / atRisk
    greenwood += failed / (atRisk * (atRisk - failed))
    const isComplete = lifetimes.every((life) => life.hasFailed || life.time >= time)
    const limits = isComplete
      ? clopperPearson(atRisk - failed, lifetimes.length)
      : logLog(surviving, greenwood)
    return { time, atRisk, failed, surviving, ...limits }
  })
}

const failureTimes = (lifetimes: readonly Lifetime[]): number[] =>
  [...new Set(lifetimes.filter(({ hasFailed }) => hasFailed).map(({ time }) => time))].sort(
    (a, b) => a - b,
  )

/**
 * Ŝ^exp(±z√V / ln Ŝ), V Greenwood's sum (Kalbfleisch and Prentice, The Statistical Analysis of Failure Time Data, 1980, §1.3);
 * nothing is known of a curve that has come down to 0 after losing some from sight.
 */
function logLog(surviving: number, greenwood: number): Interval {
  if (surviving === 0) return { lower: 0, upper: 1 }
  const width = (Z95 * Math.sqrt(greenwood)) / Math.log(surviving)
  return { lower: surviving ** Math.exp(-width), upper: surviving ** Math.exp(width) }
}

/** The median lifetime, and the times at which the limits of the curve come down to a half; null where they do not. */
interface Median {
  readonly median: number | null
  /** Null also where so few lifetimes tell nothing of how early the median may be. */
  readonly lower: number | null
  readonly upper: number | null
}

/** Brookmeyer and Crowley, Biometrics 38 (1982): every time at which the curve may be a half. */
export function medianLifetime(lifetimes: readonly Lifetime[]): Median {
  const curve = survivalCurve(lifetimes)
  const at = (of: (point: SurvivalPoint) => number) =>
    curve.find((point) => of(point) <= 0.5)?.time ?? null
  // Before the first failure the curve is 1, of n.
  const startsAbove = clopperPearson(lifetimes.length, lifetimes.length).lower > 0.5
  return {
    median: at(({ surviving }) => surviving),
    lower: startsAbove ? at(({ lower }) => lower) : null,
    upper: at(({ upper }) => upper),
  }
}

/** Lifetimes of two groups that are compared within a stratum only. */
export interface Stratum {
  readonly first: readonly Lifetime[]
  readonly second: readonly Lifetime[]
}

/** O − E of the first group and its hypergeometric variance, summed over the times at which something failed. */
function logRankSums({ first, second }: Stratum): { difference: number; variance: number } {
  const all = [...first, ...second]
  let [difference, variance] = [0, 0]
  for (const time of failureTimes(all)) {
    const risk = (of: readonly Lifetime[]) => of.filter((life) => life.time >= time).length
    const dead = (of: readonly Lifetime[]) =>
      of.filter((life) => life.hasFailed && life.time === time).length
    const [n, n1, d] = [risk(all), risk(first), dead(all)]
    difference += dead(first) - (d * n1) / n
    if (n > 1) variance += (d * n1 * (n - n1) * (n - d)) / (n * n * (n - 1))
  }
  return { difference, variance }
}

/** Σ(O − E) / √ΣV over strata: below 0 the first group fails later than expected. 0 where nothing tells the groups apart. */
export function logRank(strata: readonly Stratum[]): { z: number; pValue: number } {
  const sums = strata.map(logRankSums)
  const variance = sums.reduce((sum, each) => sum + each.variance, 0)
  const difference = sums.reduce((sum, each) => sum + each.difference, 0)
  const z = variance === 0 ? 0 : difference / Math.sqrt(variance)
  return { z, pValue: Math.min(1, 2 * normalLowerTail(-Math.abs(z))) }
}

/**
 * P[|Σ(O − E)| at least as large] when the groups' names are dealt anew within each stratum, by `draws` random deals and the one
 * that was seen (Phipson and Smyth 2010): at most α of the time ≤ α if the groups are alike, however small.
 */
export function logRankByPermutation(
  strata: readonly Stratum[],
  draws: number,
  stream: RandomStream,
): number {
  const statistic = (each: readonly Stratum[]) =>
    Math.abs(each.reduce((sum, stratum) => sum + logRankSums(stratum).difference, 0))
  const seen = statistic(strata)
  let extreme = 1
  for (let draw = 0; draw < draws; draw++) {
    const dealt = strata.map(({ first, second }) => {
      const all = stream.shuffle([...first, ...second])
      return { first: all.slice(0, first.length), second: all.slice(first.length) }
    })
    if (statistic(dealt) >= seen - 1e-12) extreme++
  }
  return extreme / (draws + 1)
}
