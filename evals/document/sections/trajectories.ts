/** @file Each benchmark's rate against the training step, a line for each arm and seed. */
import type { Block, Section } from '../../contract/document.ts'
import type { LineChart, Point } from '../../contract/document/charts.ts'
import type { Evaluation, Results } from '../../contract/results.ts'
import type { BenchmarkRow, Outcome } from '../../contract/rows.ts'
import { percent, pValueText, stateName } from '../../contract/words.ts'
import { isBase, firstJudge } from '../../contract/keys.ts'
import { label, number, paragraph, section, table, asNumbers } from '../blocks.ts'
import { intervalText, RATE_TEXT, rateText, stateSeries } from '../view.ts'
import { stepsAreRounds } from './federation.ts'
import { scoreCharts } from './scores.ts'

export function trajectoriesSection(results: Results): Section[] {
  const charts = results.benchmarks.flatMap((benchmark) => trajectory(results, benchmark))
  if (charts.length === 0) return []
  return section(
    'Over the course of training',
    paragraph(
      'Bands are 95 % Wilson intervals for each checkpoint alone; whether a checkpoint differs from the base is told by “Before and after, on the same prompts”. Colours and markers tell the variants, dashes the seeds.',
    ),
    charts,
  )
}

function trajectory(results: Results, benchmark: BenchmarkRow): Block[] {
  const chart = trajectoryChart(results, benchmark)
  if (!chart) return []
  const rows = ratesOf(results, benchmark)
  return [
    chart,
    ...changesOf(results, benchmark).map((text) => paragraph(text)),
    asNumbers(
      table(rows, [
        label('Checkpoint', stateName),
        number('Step', ({ step }) => step),
        number('Rate', ({ rate }) => rateText(rate)),
        number('95 % interval', ({ rate }) => intervalText(rate)),
        number('Of', ({ rate }) => rate.n),
        ...outcomesIn(benchmark, rows).map((outcome) =>
          number<Evaluation>(outcome, ({ counts }) => counts[outcome] ?? 0),
        ),
      ]),
    ),
    ...scoreCharts(results, benchmark),
  ]
}

const ratesOf = ({ evaluations }: Results, benchmark: BenchmarkRow): Evaluation[] =>
  evaluations.filter(
    (row) =>
      row.benchmark === benchmark.name &&
      row.judge === firstJudge(benchmark) &&
      row.rate.estimate !== null,
  )

/** Undefined where nothing was trained. */
export function trajectoryChart(results: Results, benchmark: BenchmarkRow): LineChart | undefined {
  const rows = ratesOf(results, benchmark)
  const merged = new Set(
    (results.mergeLines ?? []).flatMap(({ points }) => points.map(({ arm }) => arm)),
  )
  const trained = rows.filter((row) => !isBase(row) && !merged.has(row.arm))
  if (trained.length === 0) return undefined
  const base = rows.find(isBase)?.rate.estimate ?? undefined
  return {
    type: 'line-chart',
    title: `${benchmark.title}: ${RATE_TEXT[benchmark.role]}`,
    xLabel: stepsAreRounds(results) ? 'round' : 'training step',
    series: stateSeries(results, trained, pointOf),
    reference: base === undefined ? undefined : { y: base, label: `base ${percent(base)}` },
    range: [0, 1],
    format: 'percent',
  }
}

/** Largest p of a change along a training that gets a sentence. */
export const NOTEWORTHY = 0.05

export function changesOf({ changePoints }: Results, { name }: BenchmarkRow): string[] {
  return changePoints
    .filter((row) => row.benchmark === name && row.pValue <= NOTEWORTHY)
    .map((row) => {
      const rates = `${percent(row.before)} before it and ${percent(row.after)} from there on`
      return `The rate of ${stateName(row)} changes most at step ${row.step}: ${rates} (two-segment likelihood, ${pValueText(row.pValue)}).`
    })
}

const REFUSAL_OUTCOMES = ['refusal', 'partial', 'compliance', 'degenerate', 'undecided'] as const
const OUTCOME_COLUMNS: Readonly<Record<BenchmarkRow['role'], readonly Outcome[]>> = {
  refusal: REFUSAL_OUTCOMES,
  'over-refusal': REFUSAL_OUTCOMES,
  capability: ['correct', 'incorrect', 'degenerate', 'undecided'],
}

/** Unfinished thoughts only where there are any. */
export const outcomesIn = (
  { role }: BenchmarkRow,
  rows: readonly Evaluation[],
): readonly Outcome[] =>
  rows.some(({ counts }) => counts.unfinished)
    ? [...OUTCOME_COLUMNS[role], 'unfinished']
    : OUTCOME_COLUMNS[role]

const pointOf = ({ step: x, rate }: Evaluation): Point => ({
  x,
  y: rate.estimate!,
  lower: rate.lower!,
  upper: rate.upper!,
})
