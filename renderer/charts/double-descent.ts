/** @file A sweep's measure along one axis: the median over seeds, the range as a band, and every seed as a mark. */
import type { ChartConfiguration, ChartDataset } from 'chart.js'
import type { CellRow, Sweep } from '../../evals/contract/sweeps.ts'
import { scaleFor } from '../../evals/contract/document/charts.ts'
import { axesOptions, faded, seriesStyle, type ChartTheme } from './theme.ts'

/** A sweep's summary and the cells that are loaded. */
export type SweepShown = Omit<Sweep, 'cells'> & {
  readonly cells: readonly Omit<CellRow, 'curves'>[]
}

interface SweepChoice {
  readonly metric: string
  readonly axis: string
}

type Axes = Readonly<Record<string, number>>

/** Lines of the chart: one per line of the sweep and setting of the other axes. */
function sweepLines(sweep: SweepShown, { metric, axis }: SweepChoice) {
  const rows = sweep.summaries.filter(
    (row) => row.metric === metric && row.axes[axis] !== undefined,
  )
  return Map.groupBy(rows, ({ line, axes }) => lineName(sweep, line, axes, axis))
}

function lineName(sweep: SweepShown, line: string, axes: Axes, axis: string): string {
  const title = sweep.lines.find(({ name }) => name === line)?.title ?? line
  const others = sweep.axes
    .filter(({ name, values }) => name !== axis && axes[name] !== undefined && values.length > 1)
    .map(({ name, title: axisTitle }) => `${axisTitle} ${axes[name]}`)
  return [title, ...others].join(', ')
}

export function doubleDescent(
  sweep: SweepShown,
  choice: SweepChoice,
  theme: ChartTheme,
): ChartConfiguration<'line'> {
  const axis = sweep.axes.find(({ name }) => name === choice.axis)
  const metric = sweep.metrics.find(({ name }) => name === choice.metric)
  const lines = [...sweepLines(sweep, choice)]
  const scale = axis?.scale === 'log' ? 'logarithmic' : 'linear'
  return {
    type: 'line',
    data: {
      datasets: lines.flatMap(([label, rows], index) => [
        ...band(label, rows, choice.axis, index, theme),
        seedMarks(sweep, label, choice, index, theme),
      ]),
    },
    options: axesOptions(
      theme,
      { title: axis?.title ?? choice.axis, scale },
      {
        title: `${metric?.title ?? choice.metric}${unitText(metric?.unit)}`,
        scale: yScaleOf(lines.flatMap(([, rows]) => rows)),
      },
    ),
  }
}

const yScaleOf = (ranges: readonly { readonly minimum: number; readonly maximum: number }[]) => {
  const isLog = scaleFor(ranges.flatMap(({ minimum, maximum }) => [minimum, maximum])) === 'log'
  return isLog ? 'logarithmic' : 'linear'
}

const unitText = (unit: string | undefined) =>
  unit === 'share' ? ' (share)' : unit === 'nats' ? ' (nats per token)' : ''

function band(
  label: string,
  rows: readonly Sweep['summaries'][number][],
  axis: string,
  index: number,
  theme: ChartTheme,
): ChartDataset<'line'>[] {
  const points = rows.map(({ axes, ...row }) => ({ ...row, x: axes[axis]! }))
  return medianBand(label, points, index, theme)
}

/** The median over seeds as a line, and a band from their lowest to their highest. */
function medianBand(
  label: string,
  points: readonly Sweep['curves'][number]['points'][number][],
  index: number,
  theme: ChartTheme,
): ChartDataset<'line'>[] {
  const style = seriesStyle(theme, index)
  const sorted = points.toSorted((a, b) => a.x - b.x)
  const drawn = (pick: (point: (typeof points)[number]) => number) =>
    sorted.map((point) => ({ x: point.x, y: pick(point) }))
  const edge = { label: '', borderWidth: 0, pointRadius: 0 }
  return [
    { label: `${label} (median)`, data: drawn(({ median }) => median), ...style },
    { ...edge, data: drawn(({ minimum }) => minimum), fill: false },
    {
      ...edge,
      data: drawn(({ maximum }) => maximum),
      fill: '-1',
      backgroundColor: faded(style.borderColor, 0.12),
    },
  ]
}

/** A curve over training steps, for rebounds: one line per place of the sweep. */
export function sweepCurves(
  sweep: SweepShown,
  name: string,
  theme: ChartTheme,
): ChartConfiguration<'line'> {
  const curves = sweep.curves.filter((curve) => curve.name === name)
  return {
    type: 'line',
    data: {
      datasets: curves.flatMap(({ line, axes, points }, index) =>
        medianBand(lineName(sweep, line, axes, ''), points, index, theme).map((dataset) => ({
          ...dataset,
          pointRadius: 0,
        })),
      ),
    },
    options: axesOptions(
      theme,
      { title: 'Step', isWhole: true },
      { title: 'nats per token', scale: yScaleOf(curves.flatMap(({ points }) => points)) },
    ),
  }
}

/** Every seed is shown, because a mean would hide outliers. */
function seedMarks(
  sweep: SweepShown,
  label: string,
  { metric, axis }: SweepChoice,
  index: number,
  theme: ChartTheme,
): ChartDataset<'line'> {
  const style = seriesStyle(theme, index)
  const data = sweep.cells.flatMap(({ spec, metrics }) => {
    const value = metrics.find(({ name }) => name === metric)?.value
    const x = spec.axes[axis]
    const isOwn = lineName(sweep, spec.line, spec.axes, axis) === label
    return isOwn && value !== undefined && x !== undefined ? [{ x, y: value }] : []
  })
  return {
    label: '',
    data,
    showLine: false,
    pointStyle: style.pointStyle,
    pointRadius: 2,
    borderColor: faded(style.borderColor, 0.6),
    backgroundColor: faded(style.borderColor, 0.6),
  }
}
