/**
 * @file Whether a rate falls as intruders appear: Spearman's ρ over the states of an arm. The interval is a bootstrap over seeds,
 * because the steps of one training are not independent.
 */
import type { Evaluation, SpectrumLink, SpectrumTotal } from '../contract/results.ts'
import type { BenchmarkRow } from '../contract/rows.ts'
import { stateKey, firstJudge } from '../contract/keys.ts'
import { bootstrap } from '../statistics/bootstrap.ts'
import { spearman } from '../statistics/correlation.ts'

/** Fewer states give no meaningful rank correlation. */
const FEWEST_STATES = 4
const RESAMPLES = 2000

interface Point {
  readonly seed: number
  readonly intruders: number
  readonly rate: number
}

/** One link for each arm and refusal benchmark with spectra and rates at enough steps. */
export function spectrumLinks(
  totals: readonly SpectrumTotal[],
  evaluations: readonly Evaluation[],
  benchmarks: readonly BenchmarkRow[],
): SpectrumLink[] {
  const intruders = new Map(totals.map((row) => [stateKey(row), row.intruders]))
  const arms = [...new Set(totals.map(({ arm }) => arm))]
  return benchmarks
    .filter(({ role }) => role === 'refusal')
    .flatMap((benchmark) =>
      arms.flatMap((arm) => {
        const points = evaluations
          .filter((row) => row.arm === arm && row.benchmark === benchmark.name)
          .filter((row) => row.judge === firstJudge(benchmark))
          .flatMap((row): Point[] => {
            const { estimate } = row.rate
            const count = intruders.get(stateKey(row))
            if (count === undefined || estimate === null) return []
            return [{ seed: row.seed, intruders: count, rate: estimate }]
          })
        return points.length < FEWEST_STATES ? [] : [linkOf(arm, benchmark, points)]
      }),
    )
}

function linkOf(arm: string, benchmark: BenchmarkRow, points: readonly Point[]): SpectrumLink {
  const seeds = [...Map.groupBy(points, ({ seed }) => seed).values()]
  const rhoOf = (chosen: readonly Point[]) =>
    spearman(
      chosen.map((point) => point.intruders),
      chosen.map(({ rate }) => rate),
    )
  const statistic = (drawn: Uint32Array) => rhoOf(Array.from(drawn).flatMap((i) => seeds[i]!))
  const link = {
    arm,
    benchmark: benchmark.name,
    judge: firstJudge(benchmark),
    states: points.length,
    seeds: seeds.length,
    rho: rhoOf(points),
    lower: null,
    upper: null,
  }
  if (seeds.length < 2) return link
  const { lower, upper } = bootstrap(seeds.length, statistic, { seed: 0, resamples: RESAMPLES })
  return { ...link, lower, upper }
}
