/** @file Computes the numbers and curves of a cell's result file from the events of its fine-tune. */
import { groupJudged, rateOf, type Judgeable } from '../../findings/judged.ts'
import { spectrumTotals } from '../../findings/results.ts'
import type { JobEventBody } from '../../contract/events.ts'
import type { MetricRow, SpectrumRow, SubjectKey } from '../../contract/rows.ts'
import type { CellCurve, CellGate, CellMetric } from '../../contract/sweeps.ts'
import { firstJudge } from '../../contract/keys.ts'
import { meanAndSd } from '../../statistics/summary.ts'
import { TEST_ERROR, TRAIN_ERROR } from '../metrics.ts'
import { replyErrorOf } from './reply-errors.ts'

export interface Measures {
  readonly metrics: CellMetric[]
  readonly curves: CellCurve[]
  readonly gate?: CellGate
}

/** The final training loss is the mean of the last tenth of the curve, because the loss of one step is that of one batch. */
const END_SHARE = 0.1

type Writable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : never }
export type CellRows = Judgeable & {
  readonly metrics: readonly MetricRow[]
  readonly spectra: readonly SpectrumRow[]
}

interface Collector {
  readonly rows: CellRows
  readonly emit: (body: JobEventBody) => void
}

/** An event sink; events without rows are ignored. */
export function collectRows(): Collector {
  const rows: Writable<CellRows> = {
    benchmarks: [],
    subjects: [],
    replies: [],
    verdicts: [],
    evaluations: [],
    metrics: [],
    spectra: [],
  }
  return {
    rows,
    emit(body) {
      if (body.type === 'benchmark') rows.benchmarks.push(body.row)
      else if (body.type === 'subject') rows.subjects.push(body.row)
      else if (body.type === 'reply') rows.replies.push(body.row)
      else if (body.type === 'verdict') rows.verdicts.push(body.row)
      else if (body.type === 'metric') rows.metrics.push(body.row)
      else if (body.type === 'spectrum') rows.spectra.push(body.row)
      else if (body.type === 'evaluation-end') {
        const { subject, benchmark, samples } = body
        rows.evaluations.push({ ...subject, benchmark, samples })
      }
    },
  }
}

/** `last` is the state at the end of training. Rates without a decided reply are left out. */
export function measuresOf(rows: CellRows, last: SubjectKey): Measures {
  const training = curveOf(rows, 'train/loss', 'train-loss')
  const test = curveOf(rows, 'neutral/loss', 'test-loss')
  const heldOut = curveOf(rows, 'held-out/loss', 'held-out-loss')
  const [trainError, testError] = [TRAIN_ERROR, TEST_ERROR].map((name) =>
    curveOf(rows, replyErrorOf(name), name),
  )
  const rates = rateCurves(rows)
  const metrics = [
    ...endOfTraining(training),
    ...lossMetrics(heldOut),
    ...lossMetrics(test),
    ...errorMetrics(trainError!, testError!),
    ...rates.flatMap(({ name, x, y, n }) =>
      x.at(-1) === last.step ? [{ name, value: y.at(-1)!, n: n.at(-1)! }] : [],
    ),
    ...spectrumMetrics(rows.spectra),
  ]
  const errors = [trainError!, testError!]
  const curves = [
    training,
    heldOut,
    test,
    ...errors,
    ...rates.map(({ name, x, y }) => ({ name, x, y })),
  ]
  return { metrics, curves: curves.filter(({ x }) => x.length > 1) }
}

function curveOf({ metrics }: CellRows, metric: string, name: string): CellCurve {
  const rows = metrics.filter((row) => row.name === metric).sort((a, b) => a.step - b.step)
  return { name, x: rows.map(({ step }) => step), y: rows.map(({ value }) => value) }
}

function endOfTraining({ y }: CellCurve): CellMetric[] {
  if (y.length === 0) return []
  const end = y.slice(-Math.ceil(END_SHARE * y.length))
  return [{ name: 'train-loss', value: meanAndSd(end).mean }]
}

function lossMetrics({ name, x, y }: CellCurve): CellMetric[] {
  if (y.length === 0) return []
  const best = Math.min(...y)
  return [
    { name, value: y.at(-1)! },
    { name: `best-${name}`, value: best },
    { name: `best-${name.replace('loss', 'step')}`, value: x[y.indexOf(best)]! },
  ]
}

/** Of replies, where labels are noisy. */
function errorMetrics(train: CellCurve, test: CellCurve): CellMetric[] {
  if (test.y.length === 0) return []
  return [
    { name: TRAIN_ERROR, value: train.y.at(-1)! },
    { name: TEST_ERROR, value: test.y.at(-1)! },
    { name: `best-${TEST_ERROR}`, value: Math.min(...test.y) },
  ]
}

/** By each benchmark's first judge. */
function rateCurves(rows: CellRows): (CellCurve & { n: number[] })[] {
  const states = groupJudged(rows).filter(({ benchmark, judge }) => judge === firstJudge(benchmark))
  return rows.benchmarks.map(({ name, role }) => {
    const points = states
      .filter(({ benchmark }) => benchmark.name === name)
      .flatMap(({ subject, replies }) => {
        const { estimate, n } = rateOf(role, replies.values())
        return estimate === null ? [] : [{ step: subject.step, estimate, n }]
      })
      .sort((a, b) => a.step - b.step)
    const x = points.map(({ step }) => step)
    return { name, x, y: points.map(({ estimate }) => estimate), n: points.map(({ n }) => n) }
  })
}

function spectrumMetrics(spectra: readonly SpectrumRow[]): CellMetric[] {
  return spectrumTotals(spectra).flatMap((total) => [
    { name: 'intruders', value: total.intruders },
    { name: 'relative-change', value: total.meanRelativeChange },
    ...(total.meanEffectiveRankOfChange === null
      ? []
      : [{ name: 'effective-rank', value: total.meanEffectiveRankOfChange }]),
  ])
}
