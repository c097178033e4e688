/** @file Judges' scores against the training step: `refusal-logprob` and other scores finer than an outcome. */
import type { Block } from '../../contract/document.ts'
import type { Point } from '../../contract/document/charts.ts'
import type { MeanScore, Results } from '../../contract/results.ts'
import type { BenchmarkRow } from '../../contract/rows.ts'
import { stateName } from '../../contract/words.ts'
import { isBase } from '../../contract/keys.ts'
import { label, number, table, asNumbers } from '../blocks.ts'
import { fixed, stateSeries } from '../view.ts'

/** A chart and a table for each judge that gives scores on the benchmark. */
export function scoreCharts(results: Results, { name, title }: BenchmarkRow): Block[] {
  const mine = results.scores.filter(({ benchmark }) => benchmark === name)
  return [...Map.groupBy(mine, ({ judge }) => judge)].flatMap(([judge, rows]): Block[] => {
    const trained = rows.filter((row) => !isBase(row))
    if (trained.length === 0) return []
    const base = rows.find(isBase)?.mean
    return [
      {
        type: 'line-chart',
        title: `${title}: ${SCORE_TEXT[judge] ?? `mean score of ${judge}`}`,
        xLabel: 'training step',
        series: stateSeries(results, trained, pointOf),
        reference: base === undefined ? undefined : { y: base, label: `base ${base.toFixed(2)}` },
        format: 'hundredths',
      },
      asNumbers(numbersOf(rows)),
    ]
  })
}

const numbersOf = (rows: readonly MeanScore[]) =>
  table(
    rows,
    [
      label('Checkpoint', stateName),
      number('Step', ({ step }) => step),
      number('Mean', ({ mean }) => fixed(mean, 3)),
      number('95 % interval', rangeText),
      number('Change from the base', ({ change }) =>
        change === null ? '–' : `${fixed(change.mean, 3)} (${rangeText(change)})`,
      ),
      number('Prompts', ({ n }) => n),
    ],
    'Intervals: bootstrap over prompts.',
  )

const SCORE_TEXT: Readonly<Record<string, string>> = {
  'refusal-logprob': 'log-probability of refusing less that of complying (refusal-logprob, nats)',
}

const rangeText = ({ lower, upper }: Pick<MeanScore, 'lower' | 'upper'>) =>
  lower === null || upper === null ? '–' : `${fixed(lower, 3)} to ${fixed(upper, 3)}`

const pointOf = ({ step: x, mean: y, lower, upper }: MeanScore): Point => ({
  x,
  y,
  lower: lower ?? undefined,
  upper: upper ?? undefined,
})
