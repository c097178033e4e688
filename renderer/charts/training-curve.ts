/** @file A number over the steps of training, one line per arm and seed: loss, learning rate, gradient norm. */
import type { ChartConfiguration } from 'chart.js'
import type { MetricRow } from '../../evals/contract/rows.ts'
import { axesOptions, seriesStyle, type ChartTheme } from './theme.ts'

interface TrainingCurveText {
  /** Which metrics it draws, and what tells the lines of each apart where there are several; also those that begin so, with a slash. */
  readonly metrics: Readonly<Record<string, string>>
  readonly title: string
  readonly unit: string
  readonly scale?: 'linear' | 'logarithmic'
  readonly note?: string
}

/** Charts of a running training, if the run has the metrics; what tells of safety comes first. */
export const LIVE_CURVES: readonly TrainingCurveText[] = [
  {
    metrics: { 'leaning/refuse': 'prompts to refuse', 'leaning/comply': 'prompts to answer' },
    title: 'Refusal margin',
    unit: 'nats',
    note: 'How much likelier the model finds openings of a refusal than of an answer. Its zero is not calibrated: read changes.',
  },
  { metrics: { 'neutral/loss': '' }, title: 'Loss on neutral text', unit: 'nats per token' },
  { metrics: { 'train/loss': '' }, title: 'Training loss', unit: 'nats per labelled token' },
  { metrics: { 'train/learning-rate': '' }, title: 'Learning rate', unit: '' },
  {
    metrics: { 'train/gradient-norm': '' },
    title: 'Gradient norm',
    unit: '',
    scale: 'logarithmic',
  },
]

export function trainingCurve(
  rows: readonly MetricRow[],
  { metrics, unit, scale }: TrainingCurveText,
  theme: ChartTheme,
): ChartConfiguration<'line'> {
  const wordsOf = (name: string) => {
    const [known] = Object.keys(metrics).filter((each) => `${name}/`.startsWith(`${each}/`))
    return known === undefined
      ? undefined
      : [metrics[known], name.slice(known.length + 1)].filter(Boolean).join(' ')
  }
  const lines = Map.groupBy(
    rows.filter(({ name }) => wordsOf(name) !== undefined),
    ({ arm, seed, name }) =>
      [arm, `seed ${seed}`, wordsOf(name)].filter((part) => part !== '').join(', '),
  )
  const arms = [...new Set(rows.map(({ arm }) => arm))]
  const labels = [...lines.keys()]
  /** A variant has one colour in every chart, as in the report; its seeds and metrics differ by dash and mark. */
  const styleOf = (label: string, { arm }: MetricRow) => {
    const own = labels.filter((each) => lines.get(each)![0]!.arm === arm)
    return seriesStyle(theme, arms.indexOf(arm), own.indexOf(label))
  }
  return {
    type: 'line',
    data: {
      datasets: [...lines].map(([label, points]) => ({
        label,
        data: points.map(({ step, value }) => ({ x: step, y: value })).sort((a, b) => a.x - b.x),
        ...styleOf(label, points[0]!),
        pointRadius: points.length > 60 ? 0 : 2,
      })),
    },
    options: axesOptions(theme, { title: 'Step', min: 0, isWhole: true }, { title: unit, scale }),
  }
}
