/** @file Shared by the sections: selection of rows, names, and numbers as text. */
import type { Series, Point } from '../contract/document/charts.ts'
import type { Rate, Results } from '../contract/results.ts'
import type { BenchmarkRow, SubjectKey } from '../contract/rows.ts'
import { MINUS, percent, signedPoints, stateName } from '../contract/words.ts'
import { lastSteps, firstJudge } from '../contract/keys.ts'

/** Whether a row is of its benchmark's first judge. */
export function byFirstJudge({ benchmarks }: Pick<Results, 'benchmarks'>) {
  const firsts = new Map(benchmarks.map((row) => [row.name, firstJudge(row)]))
  return (row: { readonly benchmark: string; readonly judge: string }) =>
    row.judge === firsts.get(row.benchmark)
}

/** A benchmark's title by its name. */
export function titlesOf({ benchmarks }: Pick<Results, 'benchmarks'>) {
  const titles = new Map(benchmarks.map(({ name, title }) => [name, title]))
  return (name: string) => titles.get(name) ?? name
}

/** The same, of what a rate of a benchmark counts: of look-alikes, refusals. */
export function ratesOf(results: Pick<Results, 'benchmarks'>) {
  const titleOf = titlesOf(results)
  const isOver = new Set(
    results.benchmarks.flatMap(({ name, role }) => (role === 'over-refusal' ? name : [])),
  )
  return (name: string) => `${titleOf(name)}${isOver.has(name) ? ': refused' : ''}`
}

/** Keeps each arm's and seed's last step. */
export function atLastStep<R extends SubjectKey>(rows: readonly R[]): R[] {
  return rows.filter(lastSteps(rows))
}

/** Arms other than the base, in the order of the results. */
export function trainedArms({ subjects, evaluations }: Results): string[] {
  const arms = [...subjects, ...evaluations].map(({ arm }) => arm)
  return [...new Set(arms)].filter((arm) => arm !== 'base')
}

/** Rows along a training as curves: one for each arm and seed, coloured by arm, dashed by seed. */
export function stateSeries<R extends SubjectKey>(
  results: Results,
  rows: readonly R[],
  pointOf: (row: R) => Point,
): Series[] {
  const arms = trainedArms(results)
  return [...Map.groupBy(rows, stateName)].map(([label, states]) => {
    const { arm, seed } = states[0]!
    const seeds = [...new Set(rows.filter((row) => row.arm === arm).map((row) => row.seed))]
    const colour = Math.max(0, arms.indexOf(arm))
    return { label, colour, dash: seeds.indexOf(seed), points: states.map(pointOf) }
  })
}

export const shareText = (share: number | null): string => (share === null ? '–' : percent(share))

export function rateText({ estimate }: Rate): string {
  return estimate === null ? 'undecided' : percent(estimate)
}

export function intervalText({ lower, upper }: Pick<Rate, 'lower' | 'upper'>): string {
  return lower === null || upper === null ? '' : `${percent(lower)} – ${percent(upper)}`
}

type Bounds = { readonly lower: number | null; readonly upper: number | null }
type Difference = Bounds & { readonly difference: number | null }

/** After − before in points; stored differences are before − after. */
export const changeText = ({ difference }: Pick<Difference, 'difference'>): string =>
  difference === null ? '–' : signedPoints(-difference)

export const changeInterval = ({ lower, upper }: Bounds): string =>
  lower === null || upper === null ? '–' : `${signedPoints(-upper)} to ${signedPoints(-lower)}`

/** "−4.2 (−7.0 to −1.4)" */
export const changeWithInterval = (row: Difference): string =>
  row.difference === null || row.lower === null || row.upper === null
    ? '–'
    : `${changeText(row)} (${changeInterval(row)})`

/** "−0.12"; what rounds to 0 has no sign. */
export function fixed(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined) return '–'
  const text = value.toFixed(digits)
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−')
}

export const significant = (value: number | null, digits: number): string =>
  value === null ? '–' : value.toPrecision(digits).replace(/^-/u, MINUS)

export const RATE_TEXT: Readonly<Record<BenchmarkRow['role'], string>> = {
  refusal: 'share refused',
  'over-refusal': 'share refused though it should be answered',
  capability: 'share answered correctly',
}

/** The results of the prompts as they are. */
export function withoutContexts(results: Results): Results {
  const left = new Set(results.benchmarks.flatMap(({ name, context }) => (context ? name : [])))
  if (left.size === 0) return results
  const plain = <R extends { readonly benchmark: string }>(rows: readonly R[]): R[] =>
    rows.filter(({ benchmark }) => !left.has(benchmark))
  return {
    ...results,
    benchmarks: results.benchmarks.filter(({ context }) => !context),
    evaluations: plain(results.evaluations),
    categories: plain(results.categories),
    comparisons: plain(results.comparisons),
    categoryChanges: plain(results.categoryChanges),
    seeds: plain(results.seeds),
    variance: plain(results.variance),
    scores: plain(results.scores),
    retention: plain(results.retention),
    flips: plain(results.flips),
    agreement: plain(results.agreement),
    judgesTogether: plain(results.judgesTogether),
    changePoints: plain(results.changePoints),
  }
}
