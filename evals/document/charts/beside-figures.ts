/** @file What lies beside the test error of a sweep, in one figure for each line: errors, sharpness, norm, effective rank, intruders. */
import type { LineChart, Series } from '../../contract/document/charts.ts'
import type { SeedSummary, Sweep, SweepAxis } from '../../contract/sweeps.ts'
import { placeText, without } from './places.ts'

/** Measures of one figure, each as a share of its largest median: what a method's paper explains its effect by. */
const BESIDE = [
  ...['test-error', 'train-error', 'largest-eigenvalue', 'hessian-trace'],
  ...['parameter-norm', 'effective-rank', 'intruders'],
]
/** The measure that only trials with all of them have. */
const SHARPNESS = 'largest-eigenvalue'

type Measured = Pick<Sweep, 'axes' | 'lines' | 'metrics' | 'summaries'>

interface BesideFigure {
  readonly line: string
  readonly chart: LineChart
}

/** Along the first axis, for each line and place on the others; none where sharpness was not measured. */
export function besideFigures(sweep: Measured): BesideFigure[] {
  const [axis] = sweep.axes
  if (axis === undefined || !sweep.metrics.some(({ name }) => name === SHARPNESS)) return []
  return sweep.lines.flatMap(({ name: line }) => {
    const rows = sweep.summaries.filter((row) => row.line === line && axis.name in row.axes)
    const places = Map.groupBy(rows, ({ axes }) => placeText(without(axes, axis.name)))
    return [...places].map(([place, members]) => ({
      line,
      chart: chartOf([line, place].filter((text) => text !== '').join(', '), axis, sweep, members),
    }))
  })
}

function chartOf(
  name: string,
  axis: SweepAxis,
  { metrics }: Measured,
  rows: readonly SeedSummary[],
): LineChart {
  const series = BESIDE.flatMap((metric, colour): Series[] => {
    const own = rows.filter((row) => row.metric === metric)
    const largest = Math.max(...own.map(({ median }) => Math.abs(median)))
    if (own.length < 2 || largest === 0) return []
    const label = metrics.find((each) => each.name === metric)!.title
    const points = own.map(({ axes, median }) => ({ x: axes[axis.name]!, y: median / largest }))
    return [{ label, colour, dash: colour, points: points.sort((a, b) => a.x - b.x) }]
  })
  return {
    type: 'line-chart',
    title: `Beside the test error: ${name}`,
    xLabel: axis.title.toLowerCase(),
    xScale: axis.scale,
    series,
    range: [0, 1],
    format: 'percent',
  }
}
