/** @file A sweep's measure along one axis: the median over seeds, the range as a band, and every seed as a mark. */
import { scaleAbove, type LineChart, type Series } from '../../evals/contract/document/charts.ts'
import type { CellRow, Sweep } from '../../evals/contract/sweeps.ts'

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

export function doubleDescent(sweep: SweepShown, choice: SweepChoice): LineChart {
  const axis = sweep.axes.find(({ name }) => name === choice.axis)
  const metric = sweep.metrics.find(({ name }) => name === choice.metric)
  const axisTitle = axis?.title ?? choice.axis
  const series = [...sweepLines(sweep, choice)].map(([label, rows], index): Series => {
    const points = rows.map(({ axes, ...row }) => ({ ...row, x: axes[choice.axis]! }))
    return { ...medianBand(label, points, index), dots: seedMarks(sweep, label, choice) }
  })
  return {
    type: 'line-chart',
    title: `${metric?.title ?? choice.metric}${unitText(metric?.unit)} along ${axisTitle}`,
    xLabel: axisTitle,
    series,
    ...(axis?.scale === 'log' && { xScale: 'log' as const }),
    ...scaleOf(series),
    format: 'significant',
  }
}

const unitText = (unit: string | undefined) =>
  unit === 'share' ? ' (share)' : unit === 'nats' ? ' (nats per token)' : ''

const scaleOf = (series: readonly Series[]) =>
  scaleAbove(series.flatMap(({ points }) => points.flatMap(({ lower, upper }) => [lower!, upper!])))

/** The median over seeds as a line, and a band from their lowest to their highest. */
function medianBand(
  label: string,
  points: readonly Sweep['curves'][number]['points'][number][],
  index: number,
): Series {
  return {
    label: `${label} (median)`,
    colour: index,
    dash: index,
    points: points
      .map(({ x, median, minimum, maximum }) => ({ x, y: median, lower: minimum, upper: maximum }))
      .sort((a, b) => a.x - b.x),
  }
}

/** A curve over training steps, for rebounds: one line per place of the sweep. */
export function sweepCurves(sweep: SweepShown, name: string): LineChart {
  const series = sweep.curves
    .filter((curve) => curve.name === name)
    .map(({ line, axes, points }, index) => ({
      ...medianBand(lineName(sweep, line, axes, ''), points, index),
      isPlain: true,
    }))
  return {
    type: 'line-chart',
    title: 'Training loss over steps (nats per token)',
    xLabel: 'Step',
    series,
    ...scaleOf(series),
    format: 'significant',
  }
}

/** Every seed is shown, because a mean would hide outliers. */
const seedMarks = (
  sweep: SweepShown,
  label: string,
  { metric, axis }: SweepChoice,
): { x: number; y: number }[] =>
  sweep.cells.flatMap(({ spec, metrics }) => {
    const value = metrics.find(({ name }) => name === metric)?.value
    const x = spec.axes[axis]
    const isOwn = lineName(sweep, spec.line, spec.axes, axis) === label
    return isOwn && value !== undefined && x !== undefined ? [{ x, y: value }] : []
  })
