/** @file What the fine-tune cost elsewhere: mean loss on neutral text, and how much capability was kept. */
import type { Results } from '../../contract/results.ts'
import type { MetricRow } from '../../contract/rows.ts'
import { percent } from '../../contract/words.ts'
import { lineChart } from '../charts/line-chart.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { folded, table } from '../table.ts'
import { isBase, stateName, stateSeries } from '../view.ts'

const NEUTRAL = 'neutral/loss'

export function forgettingSection(results: Results): Markup {
  const losses = results.metrics.filter(({ name }) => name === NEUTRAL)
  const hasLosses = losses.some((row) => !isBase(row))
  if (!hasLosses && results.retention.length === 0) return html``
  return html`<h2>What was forgotten</h2>
    ${hasLosses && neutralLoss(results, losses)}${retention(results)}`
}

function neutralLoss(results: Results, losses: readonly MetricRow[]): Markup {
  const tuned = losses.filter((row) => !isBase(row))
  const base = losses.find(isBase)
  const series = stateSeries(results, tuned, ({ step: x, value: y }) => ({ x, y }))
  return html`${lineChart({
    title: 'Mean loss on neutral text, nats per token (lower is better)',
    xLabel: 'training step',
    series,
    reference: base && { y: base.value, label: `base ${base.value.toFixed(3)}` },
    format: (y) => y.toFixed(2),
  })}${folded(
    'The numbers',
    table(
      [
        { head: 'Model state', cell: (row) => stateName(row) },
        { head: 'Step', cell: (row) => row.step, kind: 'number' },
        { head: 'Loss', cell: (row) => row.value.toFixed(4), kind: 'number' },
      ],
      losses,
    ),
  )}`
}

function retention({ retention: rows, benchmarks }: Results): Content {
  if (rows.length === 0) return null
  const titles = new Map(benchmarks.map(({ name, title }) => [name, title]))
  return table(
    [
      { head: 'Benchmark', cell: (row) => titles.get(row.benchmark) ?? row.benchmark },
      { head: 'Model state', cell: (row) => stateName(row) },
      { head: 'Judge', cell: (row) => row.judge },
      {
        head: 'Kept',
        cell: (row) => (row.estimate === null ? '–' : percent(row.estimate)),
        kind: 'number',
      },
      {
        head: '95 % interval',
        cell: ({ lower, upper }) =>
          `${lower === null ? '–' : percent(lower)} to ${upper === null ? '–' : percent(upper)}`,
        kind: 'number',
      },
    ],
    rows,
    'Capability retention: accuracy after / accuracy before, bootstrap over prompts',
  )
}
