/** @file A sweep's own sections: what was swept, each measure along each axis, and what failed. */
import type { Results } from '../../contract/results.ts'
import type { MetricTitle, SeedSummary, Sweep, SweepAxis } from '../../contract/sweeps.ts'
import { counted, percent } from '../../contract/words.ts'
import { lineChart, type LineChart, type Series } from '../charts/line-chart.ts'
import { html, type Markup } from '../markup.ts'
import { folded, table } from '../table.ts'

type Axes = Readonly<Record<string, number>>

/** Values further apart than this are drawn on a logarithmic scale. */
const WIDE = 30
const FEWEST_FOR_LOG = 1e-12

export function sweepSummarySection({ sweep }: Results): Markup {
  if (!sweep) return html``
  const { axes, lines, cells, purpose } = sweep
  const failed = cells.filter(({ status }) => status === 'failed').length
  const seeds = new Set(cells.map(({ spec }) => spec.seed)).size
  return html`<h2>What was swept</h2>
    <p>
      ${counted(cells.length - failed, 'cell')} finished and ${failed} failed:
      ${counted(lines.length, 'curve')}, ${counted(seeds, 'seed')}.
      ${purpose !== null && html`Purpose: ${purpose}`}
    </p>
    ${table(
      [
        { head: 'Axis', cell: (axis) => axis.title },
        { head: 'Values', cell: (axis) => axis.values.join(', ') },
      ],
      axes,
    )}
    ${table(
      [
        { head: 'Curve', cell: (line) => line.name },
        { head: 'What it is', cell: (line) => line.title },
      ],
      lines,
    )}`
}

export function sweepChartsSection({ sweep }: Results): Markup {
  if (!sweep || sweep.summaries.length === 0) return html``
  const blocks = sweep.metrics.map((metric) => measureBlock(sweep, metric))
  return html`<h2>Along the axes</h2>
    <p>
      A curve joins the medians over seeds; the band spans the lowest and the highest seed, and each
      small dot is one seed. Places stand in the order of the axis.
    </p>
    ${blocks}`
}

function measureBlock(sweep: Sweep, metric: MetricTitle): Markup {
  const rows = sweep.summaries.filter((row) => row.metric === metric.name)
  const charts = sweep.axes.flatMap((axis) => {
    const series = seriesAlong(sweep, rows, axis, metric.name)
    if (series.length === 0) return []
    return lineChart({
      title: `${metric.title}, along ${axis.title.toLowerCase()}`,
      xLabel: axis.title.toLowerCase(),
      xScale: axis.scale,
      series,
      ...baseReference(rows, metric),
      ...yOf(metric, series),
    })
  })
  return html`${charts}${folded(`The numbers: ${metric.title}`, summaryTable(sweep, rows, metric))}`
}

const placeText = (axes: Axes) =>
  Object.entries(axes)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

const without = (axes: Axes, axis: string): Axes =>
  Object.fromEntries(Object.entries(axes).filter(([name]) => name !== axis))

/** One series a curve and place on the other axes; what does not have the axis is a level across it. */
function seriesAlong(
  { lines, cells }: Sweep,
  rows: readonly SeedSummary[],
  axis: SweepAxis,
  metric: string,
): Series[] {
  const tuned = rows.filter((row) => row.line !== 'base')
  const labelOf = (line: string, axes: Axes) => {
    const rest = placeText(without(axes, axis.name))
    return rest === '' ? line : `${line}, ${rest}`
  }
  const groups = [...Map.groupBy(tuned, ({ line, axes }) => labelOf(line, axes))]
  const dashes = new Map<string, number>()
  return groups.map(([label, members]) => {
    const { line } = members[0]!
    const dash = dashes.get(line) ?? 0
    dashes.set(line, dash + 1)
    const colour = Math.max(0, lines.findIndex(({ name }) => name === line) - baseOffset(lines))
    const points = members.flatMap((row) => pointsOf(row, axis))
    const dots = cells
      .filter(({ spec }) => labelOf(spec.line, spec.axes) === label && axis.name in spec.axes)
      .flatMap(({ spec, metrics }) =>
        metrics
          .filter(({ name }) => name === metric)
          .map(({ value }) => ({ x: spec.axes[axis.name]!, y: value })),
      )
    return { label, colour, dash, points: points.sort((a, b) => a.x - b.x), dots }
  })
}

const baseOffset = (lines: Sweep['lines']) => (lines.some(({ name }) => name === 'base') ? 1 : 0)

function pointsOf({ axes, median, minimum, maximum }: SeedSummary, { name, values }: SweepAxis) {
  const at = axes[name]
  const xs = at === undefined ? [values[0]!, values.at(-1)!] : [at]
  return xs.map((x) => ({ x, y: median, lower: minimum, upper: maximum }))
}

function baseReference(
  rows: readonly SeedSummary[],
  { unit }: MetricTitle,
): Pick<LineChart, 'reference'> {
  const base = rows.find(({ line }) => line === 'base')
  return base
    ? { reference: { y: base.median, label: `base ${numberText(base.median, unit)}` } }
    : {}
}

function yOf(
  { unit }: MetricTitle,
  series: readonly Series[],
): Pick<LineChart, 'range' | 'yScale' | 'format'> {
  if (unit === 'share') return { range: [0, 1], format: (y) => `${Math.round(100 * y)} %` }
  const values = series.flatMap(({ points }) =>
    points.flatMap(({ lower, upper }) => [lower!, upper!]),
  )
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const isWide = low > FEWEST_FOR_LOG && high / low > WIDE
  return { yScale: isWide ? 'log' : 'linear', format: (y) => String(Number(y.toPrecision(4))) }
}

const numberText = (value: number, unit: MetricTitle['unit']): string =>
  unit === 'share' ? percent(value) : String(Number(value.toPrecision(4)))

function summaryTable(
  { axes }: Sweep,
  rows: readonly SeedSummary[],
  { unit }: MetricTitle,
): Markup {
  const number = (head: string, of: (row: SeedSummary) => number) => ({
    head,
    cell: (row: SeedSummary) => numberText(of(row), unit),
    kind: 'number' as const,
  })
  return table(
    [
      { head: 'Curve', cell: (row) => row.line },
      ...axes.map(({ name, title }) => ({
        head: title,
        cell: (row: SeedSummary) => row.axes[name] ?? '–',
        kind: 'number' as const,
      })),
      { head: 'Seeds', cell: (row) => row.seeds, kind: 'number' },
      number('Median', ({ median }) => median),
      number('Mean', ({ mean }) => mean),
      number('Lowest', ({ minimum }) => minimum),
      number('Highest', ({ maximum }) => maximum),
    ],
    rows,
  )
}

export function sweepFailuresSection({ sweep }: Results): Markup {
  const failed = sweep?.cells.filter(({ status }) => status === 'failed') ?? []
  if (failed.length === 0) return html``
  return html`<h2>Cells that failed</h2>
    <p>The same command with <code>--retry-errors</code> runs them again.</p>
    ${table(
      [
        { head: 'Cell', cell: (cell) => cell.position, kind: 'number' },
        { head: 'Curve', cell: (cell) => cell.spec.line },
        { head: 'Place', cell: (cell) => placeText(cell.spec.axes) },
        { head: 'Seed', cell: (cell) => cell.spec.seed, kind: 'number' },
        { head: 'Error', cell: (cell) => cell.error?.code ?? '', kind: 'text' },
        { head: 'What happened', cell: (cell) => cell.error?.message ?? '', kind: 'text' },
      ],
      failed,
    )}`
}
