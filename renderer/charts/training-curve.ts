/** @file One number over the steps of a training, a line an arm and seed: loss, learning rate, gradient norm. */
import type { ChartConfiguration } from 'chart.js'
import type { MetricRow } from '../../evals/contract/rows.ts'
import { axesOptions, seriesStyle, type ChartTheme } from './theme.ts'

export interface TrainingCurveText {
  readonly metric: string
  readonly title: string
  readonly unit: string
  readonly scale?: 'linear' | 'logarithmic'
}

/** What is drawn while a training runs, where the run has it. */
export const LIVE_CURVES: readonly TrainingCurveText[] = [
  { metric: 'train/loss', title: 'Training loss', unit: 'nats per labelled token' },
  { metric: 'neutral/loss', title: 'Loss on neutral text', unit: 'nats per token' },
  { metric: 'train/learning-rate', title: 'Learning rate', unit: '' },
  { metric: 'train/gradient-norm', title: 'Gradient norm', unit: '', scale: 'logarithmic' },
  { metric: 'refusal/log-odds', title: 'Log-odds of a refusal', unit: 'nats' },
]

export function trainingCurve(
  rows: readonly MetricRow[],
  { metric, unit, scale }: TrainingCurveText,
  theme: ChartTheme,
): ChartConfiguration<'line'> {
  const lines = Map.groupBy(
    rows.filter(({ name }) => name === metric),
    ({ arm, seed }) => `${arm}, seed ${seed}`,
  )
  return {
    type: 'line',
    data: {
      datasets: [...lines].map(([label, points], index) => ({
        label,
        data: points.map(({ step, value }) => ({ x: step, y: value })).sort((a, b) => a.x - b.x),
        ...seriesStyle(theme, index),
        pointRadius: points.length > 60 ? 0 : 2,
      })),
    },
    options: axesOptions(theme, { title: 'Step', min: 0, isWhole: true }, { title: unit, scale }),
  }
}
