/** @file What the fine-tune cost elsewhere: mean loss on neutral text, and how much capability was kept. */
import type { Block, Section } from '../../contract/document.ts'
import type { Results } from '../../contract/results.ts'
import { stateName } from '../../contract/words.ts'
import { isBase } from '../../contract/keys.ts'
import { label, number, section, table, asNumbers } from '../blocks.ts'
import { shareText, stateSeries, titlesOf } from '../view.ts'

const NEUTRAL = 'neutral/loss'

export const forgettingSection = (results: Results): Section[] =>
  section('What was forgotten', neutralLoss(results), retention(results))

function neutralLoss(results: Results): Block[] {
  const losses = results.metrics.filter(({ name }) => name === NEUTRAL)
  const tuned = losses.filter((row) => !isBase(row))
  if (tuned.length === 0) return []
  const base = losses.find(isBase)
  return [
    {
      type: 'line-chart',
      title: 'Mean loss on neutral text, nats per token (lower is better)',
      xLabel: 'training step',
      series: stateSeries(results, tuned, ({ step: x, value: y }) => ({ x, y })),
      reference: base && { y: base.value, label: `base ${base.value.toFixed(3)}` },
      format: 'hundredths',
    },
    asNumbers(
      table(losses, [
        label('Checkpoint', stateName),
        number('Step', ({ step }) => step),
        number('Loss', ({ value }) => value.toFixed(4)),
      ]),
    ),
  ]
}

function retention(results: Results): Block[] {
  if (results.retention.length === 0) return []
  const titleOf = titlesOf(results)
  return [
    table(
      results.retention,
      [
        label('Benchmark', ({ benchmark }) => titleOf(benchmark)),
        label('Checkpoint', stateName),
        label('Judge', ({ judge }) => judge),
        number('Kept', ({ estimate }) => shareText(estimate)),
        number('95 % interval', ({ lower, upper }) => `${shareText(lower)} to ${shareText(upper)}`),
      ],
      'Capability retention: accuracy after / accuracy before, bootstrap over prompts',
    ),
  ]
}
