/** @file A number over the steps of training, one line per arm and seed: loss, learning rate, gradient norm. */
import type { LineChart } from '../../evals/contract/document/charts.ts'
import type { MetricRow } from '../../evals/contract/rows.ts'

interface TrainingCurveText {
  /** Which metrics it draws, and what tells the lines of each apart where there are several; also those that begin so, with a slash. */
  readonly metrics: Readonly<Record<string, string>>
  readonly title: string
  readonly unit: string
  readonly scale?: 'log'
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
    scale: 'log',
  },
]

/** In grey: it is no variant. */
const BASE = 'base'

export function trainingCurve(
  rows: readonly MetricRow[],
  { metrics, title, unit, scale }: TrainingCurveText,
): LineChart {
  const wordsOf = (name: string) => wordsIn(metrics, name)
  const isDrawn = ({ name, value }: MetricRow) =>
    wordsOf(name) !== undefined && (scale !== 'log' || value > 0)
  const lines = Map.groupBy(rows.filter(isDrawn), ({ arm, seed, name }) =>
    [arm, `seed ${seed}`, wordsOf(name)].filter((part) => part !== '').join(', '),
  )
  const arms = [...new Set(rows.map(({ arm }) => arm))].filter((arm) => arm !== BASE)
  const labels = [...lines.keys()]
  /** A variant has one colour in every chart, as in the report; its seeds and metrics differ by dash. */
  const styleOf = (label: string, { arm }: MetricRow) => {
    const own = labels.filter((each) => lines.get(each)![0]!.arm === arm)
    const style = { colour: Math.max(0, arms.indexOf(arm)), dash: own.indexOf(label) }
    return arm === BASE ? { ...style, isNull: true } : style
  }
  return {
    type: 'line-chart',
    title: unit === '' ? title : `${title} (${unit})`,
    xLabel: 'Step',
    series: [...lines].map(([label, points]) => ({
      label,
      ...styleOf(label, points[0]!),
      points: points.map(({ step, value }) => ({ x: step, y: value })).sort((a, b) => a.x - b.x),
      isPlain: points.length > 60,
    })),
    ...(scale && { yScale: scale }),
    format: 'significant',
  }
}

/** What tells the line of a metric apart; undefined if it is none of these. */
function wordsIn(metrics: TrainingCurveText['metrics'], name: string): string | undefined {
  const known = Object.keys(metrics).find((each) => `${name}/`.startsWith(`${each}/`))
  return known === undefined
    ? undefined
    : [metrics[known], name.slice(known.length + 1)].filter(Boolean).join(' ')
}
