/**
 * @file The figures of a sweep: for each axis its clearest curve, test and training error or all rates together, with what a
 * curve without a peak would be; the test errors of methods whose peaks are compared; and what lies beside the error of the one
 * that the others are held against.
 */
import { scaleAbove, type LineChart, type Series } from '../../contract/document/charts.ts'
import type {
  CurveSummary,
  DescentRow,
  PeakComparison,
  Sweep,
  SweepAxis,
} from '../../contract/sweeps.ts'
import { besideFigures } from './beside-figures.ts'
import { placeText } from './places.ts'

const [TEST, TRAIN] = ['test-error', 'train-error']
const ERRORS: readonly Drawn[] = [
  { metric: TEST, label: 'test error', colour: 0 },
  { metric: TRAIN, label: 'training error', colour: 1 },
]

/** A measure as a curve of a figure. */
interface Drawn {
  readonly metric: string
  readonly label: string
  readonly colour: number
}

/** What figures are drawn from: a sweep without its cells. */
export type Pictured = Pick<
  Sweep,
  'axes' | 'lines' | 'metrics' | 'summaries' | 'curves' | 'descents' | 'thresholds' | 'comparisons'
>

interface SweepFigure {
  readonly chart: LineChart
  readonly sentence: string
}

/** For each axis along which test errors were tested for a peak, or rates where there are none, its clearest curve; then methods. */
export function sweepFigures(sweep: Pictured): SweepFigure[] {
  const tested = sweep.descents.filter(({ pValue }) => pValue !== null)
  const errors = tested.filter(({ metric }) => metric === TEST)
  const shown = errors.length > 0 ? ERRORS : ratesOf(sweep)
  const rows = errors.length > 0 ? errors : tested.filter((row) => isShown(row, shown))
  const clearest = [...Map.groupBy(rows, ({ axis }) => axis).values()].map((group) =>
    group.reduce((a, b) => (clarity(b) >= clarity(a) ? b : a)),
  )
  return [
    ...clearest.map((row) => ({
      chart: chartOf(sweep, row, shown),
      sentence: rows
        .filter((other) => isSameCurve(other, row))
        .map(sentenceOf)
        .join(' '),
    })),
    ...methodFigures(sweep),
    ...besideFigureOf(sweep),
  ]
}

const isShown = ({ metric }: DescentRow, shown: readonly Drawn[]) =>
  shown.some((each) => each.metric === metric)

const ratesOf = ({ metrics }: Pictured): Drawn[] =>
  metrics
    .filter(({ unit }) => unit === 'share')
    .map(({ name, title }, colour) => ({ metric: name, label: title, colour }))

/** Smaller p first; of equal ones the higher peak, and where nothing rises the last curve. */
const clarity = ({ pValue, effect }: DescentRow) =>
  pValue === 1 ? -1 : -pValue! + 1e-6 * (effect ?? 0)

const sentenceOf = ({ sentence, adjusted }: DescentRow) =>
  adjusted == null
    ? sentence
    : `${sentence} Holm’s p over every test of this sweep: ${adjusted.toPrecision(2)}.`

function chartOf(sweep: Pictured, row: DescentRow, shown: readonly Drawn[]): LineChart {
  const axis = sweep.axes.find(({ name }) => name === row.axis)
  const title = sweep.lines.find(({ name }) => name === row.line)?.title ?? row.line
  const place = placeText(row.axes)
  return {
    type: 'line-chart',
    title: [title, place].filter((text) => text !== '').join(', '),
    xLabel: (axis?.title ?? row.axis).toLowerCase(),
    xScale: axis?.scale ?? 'log',
    ...withScale([...nullSeries(row), ...shown.map((each) => seriesOf(sweep, row, axis, each))]),
    ...thresholdIn(sweep, row),
  }
}

/** Shares in per cent; other errors, such as squares, may span orders of magnitude. */
function withScale(all: readonly Series[]): Pick<LineChart, 'series' | 'yScale' | 'format'> {
  const series = all.filter(({ points }) => points.length > 0)
  const values = series.flatMap(({ points }) =>
    points.flatMap(({ y, lower = y, upper = y }) => [lower, y, upper]),
  )
  if (values.every((value) => value <= 1)) return { series, format: 'percent' }
  return { series, ...scaleAbove(values), format: 'significant' }
}

type Place = Pick<DescentRow, 'line' | 'axis' | 'axes'>

function thresholdIn({ thresholds }: Pictured, row: Place): Pick<LineChart, 'marks'> {
  const at = thresholds?.find((each) => isSameCurve(each, row))?.at ?? null
  return at === null ? {} : { marks: [{ x: at, label: `fits every row from ${at}` }] }
}

/** For each axis the place on the others at which methods differ most clearly; the line that they are held against has its range. */
function methodFigures(sweep: Pictured): SweepFigure[] {
  const errors = (sweep.comparisons ?? []).filter(({ metric }) => metric === TEST)
  return [...Map.groupBy(errors, ({ axis }) => axis).values()].map((group) => {
    const clearest = group.reduce((a, b) => (b.height.pValue < a.height.pValue ? b : a))
    const own = group.filter(({ axes }) => placeText(axes) === placeText(clearest.axes))
    return { chart: methodChart(sweep, own), sentence: own.map(claimText).join(' ') }
  })
}

/** Of the method that others are held against, or the first; the report has it of every line. */
function besideFigureOf(sweep: Pictured): SweepFigure[] {
  const all = besideFigures(sweep)
  const named = sweep.comparisons?.[0]?.against
  const figure = all.find(({ line }) => line === named) ?? all[0]
  if (!figure) return []
  return [
    {
      chart: figure.chart,
      sentence: 'Medians over seeds, each as a share of its largest along the axis.',
    },
  ]
}

function methodChart(sweep: Pictured, own: readonly PeakComparison[]): LineChart {
  const [{ axis: name, axes, against }] = own as [PeakComparison]
  const axis = sweep.axes.find((each) => each.name === name)!
  const lines = [...new Set([against, ...own.map(({ line }) => line)])]
  const place = placeText(axes)
  return {
    type: 'line-chart',
    title: ['Test error by method', place].filter((text) => text !== '').join(', '),
    xLabel: axis.title.toLowerCase(),
    xScale: axis.scale,
    ...withScale(
      lines.map((line, colour) => {
        const drawn = { metric: TEST, label: line, colour }
        const series = seriesOf(sweep, { line, axes, axis: name }, axis, drawn)
        const bare = series.points.map(({ x, y }) => ({ x, y }))
        return line === against ? series : { ...series, dash: colour, points: bare }
      }),
    ),
    ...thresholdIn(sweep, { line: against, axis: name, axes }),
  }
}

const VERB = { peak: 'lowers the peak', valley: 'makes the low shallower' } as const

/** A claim in words: "ggpo lowers the peak of lora". */
export function claimOf({ line, against, shape, axes }: PeakComparison): string {
  const place = placeText(axes)
  return `${line} ${VERB[shape]} of ${against}${place === '' ? '' : ` (${place})`}`
}

const claimText = (row: PeakComparison): string =>
  `“${claimOf(row)}”: ${row.outcome} (p = ${row.height.pValue.toPrecision(2)}).`

const isSameCurve = (a: Place, b: Place) =>
  a.line === b.line && a.axis === b.axis && placeText(a.axes) === placeText(b.axes)

function nullSeries({ without = [] }: DescentRow): Series[] {
  if (without.length === 0) return []
  return [
    { label: 'without a peak', colour: 0, dash: 1, points: without, isPlain: true, isNull: true },
  ]
}

function seriesOf(
  sweep: Pictured,
  row: Place,
  axis: SweepAxis | undefined,
  { metric, label, colour }: Drawn,
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

const alongTraining = ({ curves }: Pictured, row: Place, metric: string): Points =>
  curves.find(
    ({ line, axes, name }) =>
      name === metric && line === row.line && placeText(axes) === placeText(row.axes),
  )?.points ?? []

const alongAxis = ({ summaries }: Pictured, row: Place, metric: string): Points =>
  summaries
    .filter(
      (each) =>
        each.metric === metric &&
        each.line === row.line &&
        Object.entries(row.axes).every(([name, value]) => each.axes[name] === value),
    )
    .map(({ axes, ...rest }) => ({ ...rest, x: axes[row.axis]! }))
    .sort((a, b) => a.x - b.x)
