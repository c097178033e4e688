/** @file The figures of a sweep: for each axis its clearest curve, test and training error together, with what a curve without a peak would be. */
import type { LineChart, Series } from '../../contract/document/charts.ts'
import type { CurveSummary, DescentRow, Sweep, SweepAxis } from '../../contract/sweeps.ts'

/** "rank 4, seed 1" */
export const placeText = (axes: Readonly<Record<string, number>>) =>
  Object.entries(axes)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

const [TEST, TRAIN] = ['test-error', 'train-error']

/** What figures are drawn from: a sweep without its cells. */
export type Pictured = Pick<
  Sweep,
  'axes' | 'lines' | 'summaries' | 'curves' | 'descents' | 'thresholds'
>

interface SweepFigure {
  readonly chart: LineChart
  readonly sentence: string
}

/** One for each axis along which the test error was tested for a peak; the clearest first. */
export function sweepFigures(sweep: Pictured): SweepFigure[] {
  const tested = sweep.descents.filter(({ metric, pValue }) => metric === TEST && pValue !== null)
  const rows = [...Map.groupBy(tested, ({ axis }) => axis).values()].map((group) =>
    group.reduce((a, b) => (clarity(b) >= clarity(a) ? b : a)),
  )
  return rows.map((row) => ({ chart: chartOf(sweep, row), sentence: sentenceOf(row) }))
}

/** Smaller p first; of equal ones the higher peak, and where nothing rises the last curve. */
const clarity = ({ pValue, effect }: DescentRow) =>
  pValue === 1 ? -1 : -pValue! + 1e-6 * (effect ?? 0)

const sentenceOf = ({ sentence, adjusted }: DescentRow) =>
  adjusted == null
    ? sentence
    : `${sentence} Holm’s p over every test of this sweep: ${adjusted.toPrecision(2)}.`

function chartOf(sweep: Pictured, row: DescentRow): LineChart {
  const axis = sweep.axes.find(({ name }) => name === row.axis)
  const at = sweep.thresholds?.find((each) => isSameCurve(each, row))?.at ?? null
  const title = sweep.lines.find(({ name }) => name === row.line)?.title ?? row.line
  const place = placeText(row.axes)
  return {
    type: 'line-chart',
    title: [title, place].filter((text) => text !== '').join(', '),
    xLabel: (axis?.title ?? row.axis).toLowerCase(),
    xScale: axis?.scale ?? 'log',
    series: [
      ...nullSeries(row),
      seriesOf(sweep, row, axis, { metric: TEST, label: 'test error', colour: 0 }),
      seriesOf(sweep, row, axis, { metric: TRAIN, label: 'training error', colour: 1 }),
    ].filter(({ points }) => points.length > 0),
    ...(at === null ? {} : { marks: [{ x: at, label: `fits every row from ${at}` }] }),
    format: 'percent',
  }
}

const isSameCurve = (
  a: { line: string; axis: string; axes: Readonly<Record<string, number>> },
  b: DescentRow,
) => a.line === b.line && a.axis === b.axis && placeText(a.axes) === placeText(b.axes)

function nullSeries({ without = [] }: DescentRow): Series[] {
  if (without.length === 0) return []
  return [
    { label: 'without a peak', colour: 0, dash: 1, points: without, isPlain: true, isNull: true },
  ]
}

function seriesOf(
  sweep: Pictured,
  row: DescentRow,
  axis: SweepAxis | undefined,
  { metric, label, colour }: { metric: string; label: string; colour: number },
): Series {
  const points = axis ? alongAxis(sweep, row, metric) : alongTraining(sweep, row, metric)
  return {
    label,
    colour,
    dash: 0,
    points: points.map(({ x, median, minimum, maximum }) => ({
      x,
      y: median,
      lower: minimum,
      upper: maximum,
    })),
  }
}

type Points = CurveSummary['points']

const alongTraining = ({ curves }: Pictured, row: DescentRow, metric: string): Points =>
  curves.find(
    ({ line, axes, name }) =>
      name === metric && line === row.line && placeText(axes) === placeText(row.axes),
  )?.points ?? []

const alongAxis = ({ summaries }: Pictured, row: DescentRow, metric: string): Points =>
  summaries
    .filter(
      (each) =>
        each.metric === metric &&
        each.line === row.line &&
        Object.entries(row.axes).every(([name, value]) => each.axes[name] === value),
    )
    .map(({ axes, ...rest }) => ({ ...rest, x: axes[row.axis]! }))
    .sort((a, b) => a.x - b.x)
