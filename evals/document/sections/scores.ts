/** @file What judges say more finely than by an outcome, against the training step: `refusal-logprob` and other scores. */
import type { MeanScore, Results } from '../../contract/results.ts'
import type { BenchmarkRow } from '../../contract/rows.ts'
import { lineChart, type Point } from '../charts/line-chart.ts'
import { html, type Content } from '../markup.ts'
import { folded, table } from '../table.ts'
import { fixed, isBase, stateName, stateSeries } from '../view.ts'

/** A chart and a table for each judge that gives scores on the benchmark. */
export function scoreCharts(results: Results, { name, title }: BenchmarkRow): Content {
  const mine = results.scores.filter(({ benchmark }) => benchmark === name)
  return [...Map.groupBy(mine, ({ judge }) => judge)].map(([judge, rows]) => {
    const series = stateSeries(
      results,
      rows.filter((row) => !isBase(row)),
      pointOf,
    )
    if (series.length === 0) return null
    const base = rows.find(isBase)?.mean
    return html`${lineChart({
      title: `${title}: ${SCORE_TEXT[judge] ?? `mean score of ${judge}`}`,
      xLabel: 'training step',
      series,
      reference: base === undefined ? undefined : { y: base, label: `base ${base.toFixed(2)}` },
      format: (y) => y.toFixed(2),
    })}${folded(
      'The numbers',
      table(
        [
          { head: 'Model state', cell: (row) => stateName(row) },
          { head: 'Step', cell: (row) => row.step, kind: 'number' },
          { head: 'Mean', cell: (row) => fixed(row.mean, 3), kind: 'number' },
          { head: '95 % interval', cell: (row) => rangeText(row), kind: 'number' },
          {
            head: 'Change from the base',
            cell: ({ change }) => changeText(change),
            kind: 'number',
          },
          { head: 'Prompts', cell: (row) => row.n, kind: 'number' },
        ],
        rows,
        'Intervals: bootstrap over prompts.',
      ),
    )}`
  })
}

const SCORE_TEXT: Readonly<Record<string, string>> = {
  'refusal-logprob': 'log-probability of refusing less that of complying (refusal-logprob, nats)',
}

const rangeText = ({ lower, upper }: { lower: number | null; upper: number | null }) =>
  lower === null || upper === null ? '–' : `${fixed(lower, 3)} to ${fixed(upper, 3)}`

const changeText = (change: MeanScore['change']): string =>
  change === null ? '–' : `${fixed(change.mean, 3)} (${rangeText(change)})`

const pointOf = ({ step: x, mean: y, lower, upper }: MeanScore): Point => ({
  x,
  y,
  ...(lower === null || upper === null ? {} : { lower, upper }),
})
