/** @file A chart's numbers: as a table, for screen readers and for copying, and those at one place of its x axis. */
import type { LineChart, Series } from '../../evals/contract/document/charts.ts'

interface ChartTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** One row per x value, one column per curve. */
export function chartTable(chart: LineChart): ChartTable {
  const series = chart.series.map(({ points }) => new Map(points.map(({ x, y }) => [x, y])))
  const places = [...new Set(series.flatMap((values) => [...values.keys()]))].sort((a, b) => a - b)
  return {
    head: [chart.xLabel, ...chart.series.map(({ label }) => label)],
    rows: places.map((x) => [numberText(x), ...series.map((values) => valueText(values.get(x)))]),
  }
}

/** "Step 84 · lora, seed 0: 1.25 · …", of the curves that have a point there. */
export function textAt(chart: LineChart, x: number): string {
  const valueOf = ({ label, points }: Series) => {
    const point = points.find((each) => each.x === x)
    return point ? [`${label}: ${numberText(point.y)}`] : []
  }
  return [`${chart.xLabel} ${numberText(x)}`, ...chart.series.flatMap(valueOf)].join(' · ')
}

const valueText = (value: number | undefined) => (value === undefined ? '–' : numberText(value))

/** Four significant digits, without trailing zeros. */
export function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value)
  const size = Math.abs(value)
  return size !== 0 && (size < 1e-3 || size >= 1e6)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(4)))
}
