/** @file Each benchmark's rate against the training step, a line for each arm and seed. */
import type { Evaluation, Results } from '../../contract/results.ts'
import type { BenchmarkRow } from '../../contract/rows.ts'
import { percent, pValueText } from '../../contract/words.ts'
import { lineChart, type Point } from '../charts/line-chart.ts'
import { html, prose, type Content, type Markup } from '../markup.ts'
import { folded, table } from '../table.ts'
import {
  firstJudge,
  intervalText,
  isBase,
  RATE_TEXT,
  rateText,
  stateName,
  stateSeries,
} from '../view.ts'
import { scoreCharts } from './scores.ts'

export function trajectoriesSection(results: Results): Markup {
  const charts = results.benchmarks.map((benchmark) => trajectory(results, benchmark))
  return charts.every((chart) => chart === null)
    ? html``
    : html`<h2>Over the course of training</h2>
        <p>
          Bands are 95 % Wilson intervals for each state alone; whether a state differs from the
          base is in the paired table above. Colours and markers tell the arms, dashes the seeds.
        </p>
        ${charts}`
}

function trajectory(results: Results, benchmark: BenchmarkRow): Content {
  const judge = firstJudge(benchmark)
  const rows = results.evaluations.filter(
    (row) => row.benchmark === benchmark.name && row.judge === judge && row.rate.estimate !== null,
  )
  const series = stateSeries(
    results,
    rows.filter((row) => !isBase(row)),
    pointOf,
  )
  if (series.length === 0) return null
  const base = rows.find(isBase)?.rate.estimate ?? undefined
  return html`${lineChart({
    title: `${benchmark.title}: ${RATE_TEXT[benchmark.role]}`,
    xLabel: 'training step',
    series,
    reference: base === undefined ? undefined : { y: base, label: `base ${percent(base)}` },
    range: [0, 1],
    format: (y) => `${Math.round(100 * y)} %`,
  })}${changesOf(results, benchmark)}${folded(
    'The numbers',
    table(
      [
        { head: 'Model state', cell: (row) => stateName(row) },
        { head: 'Step', cell: (row) => row.step, kind: 'number' },
        { head: 'Rate', cell: (row) => rateText(row.rate), kind: 'number' },
        { head: '95 % interval', cell: (row) => intervalText(row.rate), kind: 'number' },
        { head: 'Of', cell: (row) => row.rate.n, kind: 'number' },
        ...OUTCOME_COLUMNS[benchmark.role].map((outcome) => ({
          head: outcome,
          cell: (row: Evaluation) => row.counts[outcome],
          kind: 'number' as const,
        })),
      ],
      rows,
    ),
  )}${scoreCharts(results, benchmark)}`
}

/** Below this a change along a training is worth a sentence. */
const NOTEWORTHY = 0.05

function changesOf({ changePoints }: Results, { name }: BenchmarkRow): Content {
  return changePoints
    .filter((row) => row.benchmark === name && row.pValue <= NOTEWORTHY)
    .map((row) => {
      const rates = `${percent(row.before)} before it and ${percent(row.after)} from there on`
      return html`<p>
        ${prose(
          `The rate of ${stateName(row)} changes most at step ${row.step}: ${rates} (two-segment likelihood, ${pValueText(row.pValue)}).`,
        )}
      </p>`
    })
}

const REFUSAL_OUTCOMES = ['refusal', 'partial', 'compliance', 'degenerate', 'undecided'] as const
const OUTCOME_COLUMNS = {
  refusal: REFUSAL_OUTCOMES,
  'over-refusal': REFUSAL_OUTCOMES,
  capability: ['correct', 'incorrect', 'degenerate', 'undecided'],
} as const

const pointOf = ({ step: x, rate }: Evaluation): Point => ({
  x,
  y: rate.estimate!,
  lower: rate.lower!,
  upper: rate.upper!,
})
