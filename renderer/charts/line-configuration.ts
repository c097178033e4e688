/** @file A line chart of the document as a Chart.js configuration: one curve per series, intervals as bands, a dotted reference line. */
import type { ChartConfiguration, ChartDataset } from 'chart.js'
import { axisText, type LineChart, type Series } from '../../evals/contract/document/charts.ts'
import { axesOptions, faded, seriesStyle, type ChartTheme } from './theme.ts'

/** Datasets without a label are not in legend and tooltip. */
const UNNAMED = { label: '', borderWidth: 0, pointRadius: 0 }

export function lineConfiguration(chart: LineChart, theme: ChartTheme): ChartConfiguration<'line'> {
  const { xLabel, xScale, yScale, range, format, series } = chart
  const scaleOf = (scale: LineChart['xScale']) => (scale === 'log' ? 'logarithmic' : 'linear')
  const [min, max] = range ?? []
  const { scales, ...options } = axesOptions(
    theme,
    { title: xLabel, scale: scaleOf(xScale) },
    { title: '', scale: scaleOf(yScale), min, max },
  )
  const y = scales!['y']!
  const callback = (value: string | number) => axisText(format, Number(value))
  return {
    type: 'line',
    data: {
      datasets: [...referenceOf(chart, theme), ...series.flatMap((one) => curve(one, theme))],
    },
    options: {
      ...options,
      scales: { ...scales, y: { ...y, ticks: { ...y.ticks, callback } } as typeof y },
    },
  }
}

/** The base as a horizontal line. */
function referenceOf({ reference, series }: LineChart, theme: ChartTheme): ChartDataset<'line'>[] {
  if (!reference) return []
  const xs = series.flatMap(({ points }) => points.map(({ x }) => x))
  const ends = [xs.reduce((a, b) => Math.min(a, b)), xs.reduce((a, b) => Math.max(a, b))]
  return [
    {
      label: reference.label,
      data: ends.map((x) => ({ x, y: reference.y })),
      borderColor: theme.quiet,
      backgroundColor: theme.quiet,
      borderDash: [2, 3],
      borderWidth: 1,
      pointRadius: 0,
    },
  ]
}

function curve(
  { label, colour, dash, points, dots = [], isPlain = false }: Series,
  theme: ChartTheme,
): ChartDataset<'line'>[] {
  const style = seriesStyle(theme, colour, dash)
  const edge = (pick: 'lower' | 'upper', fill: string | false): ChartDataset<'line'> => ({
    ...UNNAMED,
    data: points.flatMap((point) => {
      const y = point[pick]
      return y === undefined ? [] : [{ x: point.x, y }]
    }),
    fill,
    backgroundColor: faded(style.borderColor, 0.14),
  })
  const marks: ChartDataset<'line'> = {
    ...UNNAMED,
    data: dots.map(({ x, y }) => ({ x, y })),
    showLine: false,
    pointRadius: 2,
    backgroundColor: faded(style.borderColor, 0.6),
  }
  return [
    {
      label,
      data: points.map(({ x, y }) => ({ x, y })),
      ...style,
      pointRadius: isPlain ? 0 : 3,
    },
    edge('lower', false),
    edge('upper', '-1'),
    ...(dots.length > 0 ? [marks] : []),
  ]
}
