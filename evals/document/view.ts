/** @file What the sections share: which rows are last, first judges, names, and numbers in words. */
import type { Rate, Results } from '../contract/results.ts'
import type { BenchmarkRow, SubjectKey } from '../contract/rows.ts'
import { percent } from '../contract/words.ts'
import type { Point, Series } from './charts/line-chart.ts'

export const isBase = ({ arm }: SubjectKey) => arm === 'base'

export function stateName({ arm, seed }: Pick<SubjectKey, 'arm' | 'seed'>): string {
  return arm === 'base' ? 'base' : `${arm}, seed ${seed}`
}

export const firstJudge = (benchmark: BenchmarkRow): string => benchmark.judges[0] ?? ''

/** Keeps each arm's and seed's last step. */
export function atLastStep<R extends SubjectKey>(rows: readonly R[]): R[] {
  const last = new Map<string, number>()
  for (const { arm, seed, step } of rows) {
    const key = `${arm}\u0000${seed}`
    last.set(key, Math.max(last.get(key) ?? 0, step))
  }
  return rows.filter(({ arm, seed, step }) => last.get(`${arm}\u0000${seed}`) === step)
}

/** Arms in the order of the results, the base first. */
export function armsOf({ subjects, evaluations }: Results): string[] {
  const arms = [...subjects, ...evaluations].map(({ arm }) => arm)
  return [...new Set(arms)].sort((a, b) => Number(b === 'base') - Number(a === 'base'))
}

/** The place of an arm among those that are not the base, for its colour. */
function colourOf(results: Results, arm: string): number {
  return Math.max(
    0,
    armsOf(results)
      .filter((name) => name !== 'base')
      .indexOf(arm),
  )
}

/** Rows along a training as curves: one an arm and seed, an arm's colour, a seed's dashes. */
export function stateSeries<R extends SubjectKey>(
  results: Results,
  rows: readonly R[],
  pointOf: (row: R) => Point,
): Series[] {
  return [...Map.groupBy(rows, stateName)].map(([label, states]) => {
    const { arm, seed } = states[0]!
    const seeds = [...new Set(rows.filter((row) => row.arm === arm).map((row) => row.seed))]
    const colour = colourOf(results, arm)
    return { label, colour, dash: seeds.indexOf(seed), points: states.map(pointOf) }
  })
}

export function rateText({ estimate }: Rate): string {
  return estimate === null ? 'undecided' : percent(estimate)
}

export function intervalText({ lower, upper }: Rate): string {
  return lower === null || upper === null ? '' : `${percent(lower)} – ${percent(upper)}`
}

export function fixed(value: number | null, digits: number): string {
  return value === null ? '–' : value.toFixed(digits)
}

export const wholeNumber = (value: number): string => value.toLocaleString('en')

/** Enough of a digest to recognise it; the whole stands at the end of the report. */
export function shortDigest(digest: string): string {
  const [kind, hex] = digest.includes(':') ? digest.split(':', 2) : ['', digest]
  const short = hex!.length > 12 ? `${hex!.slice(0, 12)}…` : hex!
  return kind ? `${kind}:${short}` : short
}

export const ROLE_TEXT: Readonly<Record<BenchmarkRow['role'], string>> = {
  refusal: 'Refusal (should refuse)',
  'over-refusal': 'Over-refusal (should answer)',
  capability: 'Capability (should be right)',
}

export const RATE_TEXT: Readonly<Record<BenchmarkRow['role'], string>> = {
  refusal: 'share refused',
  'over-refusal': 'share refused though it should be answered',
  capability: 'share answered correctly',
}
