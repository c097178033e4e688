/** @file A chart's numbers as a table, for screen readers and for copying. */
import type { ChartConfiguration } from 'chart.js'

interface ChartTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/**
 * One row per x value, one column per named series. Series without a name are bands and left out. x values may have names
 * instead of numbers.
 */
export function chartTable(
  config: ChartConfiguration<'line'>,
  xTitle: string,
  placeNames: readonly string[] = [],
): ChartTable {
  const named = config.data.datasets.filter(({ label }) => label !== undefined && label !== '')
  const series = named.map(({ data }) => new Map(data.flatMap((point) => pair(point))))
  const places = [...new Set(series.flatMap((values) => [...values.keys()]))].sort((a, b) => a - b)
  return {
    head: [xTitle, ...named.map(({ label }) => label!)],
    rows: places.map((x) => [
      placeNames[x] ?? numberText(x),
      ...series.map((values) => valueText(values.get(x))),
    ]),
  }
}

function pair(point: unknown): [number, number][] {
  if (typeof point !== 'object' || point === null) return []
  const { x, y } = point as { x: number; y: number | null }
  return y === null ? [] : [[x, y]]
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
