/** @file Federated variants round by round: how far aggregation is from the exact mean, what was sent, and what privacy was spent. */
import type { Section } from '../../contract/document.ts'
import { ACCOUNTANT, layerOfMetric, ROUND_METRICS } from '../../contract/metrics/federation.ts'
import { isSameState } from '../../contract/keys.ts'
import type { Results } from '../../contract/results.ts'
import type { MetricRow } from '../../contract/rows.ts'
import { stateName } from '../../contract/words.ts'
import { details, label, number, paragraph, section, table } from '../blocks.ts'
import { atLastStep, fixed, stateSeries } from '../view.ts'

export function federationSection(results: Results): Section[] {
  const biases = named(results, ROUND_METRICS.bias)
  const last = atLastStep(named(results, ROUND_METRICS.clients))
  if (last.length === 0) return []
  const isPrivate = named(results, ROUND_METRICS.epsilon).length > 0
  return section(
    'Rounds of clients',
    paragraph(
      'A step of these variants is a round. The aggregation bias is ‖Σ p ΔW − ΔW′‖/‖Σ p ΔW‖ in the Frobenius norm over all layers: how far the server’s change ΔW′ after the round is from the mean of the clients’ changes ΔW, weighted by their rows. A robust mean leaves that mean on purpose.',
    ),
    isPrivate && paragraph(`ε is by ${ACCOUNTANT}.`),
    biases.length > 0 && {
      type: 'line-chart',
      title: 'Aggregation bias',
      xLabel: 'round',
      series: stateSeries(results, biases, ({ step: x, value: y }) => ({ x, y })).map((each) => ({
        ...each,
        isPlain: true,
      })),
      format: 'significant',
    },
    table(last, [
      label('Variant', stateName),
      number('Rounds', ({ step }) => step),
      number('Clients in the last', ({ value }) => value),
      number('Bias in the last', (row) => fixed(valueOf(results, ROUND_METRICS.bias, row), 4)),
      number('Sent to the server', (row) => megabytes(sumOf(results, ROUND_METRICS.bytesUp, row))),
      number('Sent to clients', (row) => megabytes(sumOf(results, ROUND_METRICS.bytesDown, row))),
      ...(isPrivate
        ? [number<MetricRow>('ε', (row) => fixed(valueOf(results, ROUND_METRICS.epsilon, row), 2))]
        : []),
    ]),
    details('Layers with the largest bias in the last round', layerTable(results)),
  )
}

const named = ({ metrics }: Results, metric: string): MetricRow[] =>
  metrics.filter(({ name }) => name === metric)

const valueOf = (results: Results, metric: string, state: MetricRow): number | undefined =>
  named(results, metric).find(isSameState(state))?.value

/** Over all rounds of a variant. */
const sumOf = (results: Results, metric: string, { arm, seed }: MetricRow): number =>
  named(results, metric)
    .filter((row) => row.arm === arm && row.seed === seed)
    .reduce((sum, { value }) => sum + value, 0)

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`

const MOST_LAYERS = 5

function layerTable(results: Results) {
  const ofLayers = results.metrics.filter(({ name }) => layerOfMetric(name) !== undefined)
  const byState = Map.groupBy(atLastStep(ofLayers), stateName)
  const rows = [...byState.values()].flatMap((layers) =>
    layers.toSorted((a, b) => b.value - a.value).slice(0, MOST_LAYERS),
  )
  return table(rows, [
    label('Variant', stateName),
    label('Layer', ({ name }) => layerOfMetric(name)!),
    number('Bias', ({ value }) => fixed(value, 4)),
  ])
}

/** Whether the steps of these results are rounds. */
export const stepsAreRounds = (results: Results): boolean =>
  named(results, ROUND_METRICS.clients).length > 0
