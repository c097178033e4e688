/** @file The two panels that must not be taken for one another: loss rebound over steps, test-error double descent along an axis. */
import type { Results } from '../../contract/results.ts'
import type { CurveSummary, DescentRow, ReboundRow, Sweep } from '../../contract/sweeps.ts'
import { counted } from '../../contract/words.ts'
import { lineChart, type Series } from '../charts/line-chart.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { folded, table } from '../table.ts'
import { fixed } from '../view.ts'

const OUTCOME_TEXT: Readonly<Record<ReboundRow['outcome'], string>> = {
  none: 'no rebound',
  double_descent: 'rose and fell again',
  divergence: 'rose and stayed',
}

/** More curves in one chart cannot be told apart. */
const MOST_SERIES = 12

const placeText = (axes: Readonly<Record<string, number>>) =>
  Object.entries(axes)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

const nameOf = ({ line, axes }: Pick<CurveSummary, 'line' | 'axes'>) =>
  [line, placeText(axes)].filter((text) => text !== '').join(', ')

export function reboundSection({ sweep }: Results): Markup {
  if (!sweep || sweep.rebounds.length === 0) return html``
  const rose = sweep.rebounds.filter(({ outcome }) => outcome !== 'none').length
  return html`<h2>Loss rebound over steps</h2>
    <p>
      This is an instability of the training loss, as in the paper on GGPO; it is not the test-error
      double descent below. A curve rebounds where its smoothed loss rises by a tenth of what it had
      fallen (R ≥ 0.10), and recovers where half of the rise is lost again. ${rose} of
      ${counted(sweep.rebounds.length, 'curve')} rebounded.
    </p>
    ${curveCharts(sweep, 'train-loss', 'Training loss')}${folded('The numbers', reboundTable(sweep.rebounds))}`
}

/** One chart a line, a curve a place: the median over seeds with the range as a band. */
function curveCharts(sweep: Sweep, name: string, title: string): Content {
  const curves = sweep.curves.filter((curve) => curve.name === name && curve.points.length > 1)
  return [...Map.groupBy(curves, ({ line }) => line)].map(([line, members]) =>
    lineChart({
      title: `${title} over steps: ${line}`,
      xLabel: 'training step',
      series: members.slice(0, MOST_SERIES).map((curve, n): Series => ({
        label: nameOf(curve),
        colour: n,
        dash: Math.floor(n / 6),
        points: curve.points.map(({ x, median, minimum, maximum }) => ({
          x,
          y: median,
          lower: minimum,
          upper: maximum,
        })),
        isPlain: true,
      })),
      format: (y) => String(Number(y.toPrecision(4))),
    }),
  )
}

function reboundTable(rebounds: readonly ReboundRow[]): Markup {
  return table(
    [
      { head: 'Curve', cell: (row) => row.line },
      { head: 'Place', cell: (row) => placeText(row.axes) },
      { head: 'Seed', cell: (row) => row.seed, kind: 'number' },
      { head: 'R', cell: (row) => fixed(row.rebound, 3), kind: 'number' },
      { head: 'Recovery', cell: (row) => fixed(row.recovery, 2), kind: 'number' },
      { head: 'Found', cell: (row) => OUTCOME_TEXT[row.outcome] },
    ],
    rebounds,
  )
}

export function descentSection({ sweep }: Results): Markup {
  if (!sweep || sweep.descents.length === 0) return html``
  return html`<h2>Test-error double descent</h2>
    <p>
      Along an axis of capacity, samples or steps the error may rise to an inner peak and fall again
      (Nakkiran et al. 2019). Each curve is tested for one inner peak, or for one inner low where a
      rate should be high, with at most 5 % false alarms on curves without one. Where a peak of two
      standard deviations between seeds would be missed more often than not, the panel says that it
      cannot tell.
    </p>
    <p>${descentCounts(sweep.descents)}</p>
    <ul>
      ${sweep.descents.filter(({ outcome }) => outcome === 'peak').map(({ line, axes, sentence }) => html`<li><strong>${nameOf({ line, axes })}</strong>: ${sentence}</li>`)}
    </ul>
    ${folded(
      'Every curve in words',
      html`<ul>
        ${sweep.descents.map(({ line, axes, sentence }) => html`<li>${nameOf({ line, axes })}: ${sentence}</li>`)}
      </ul>`,
    )}${folded('The numbers', descentTable(sweep))}`
}

function descentCounts(descents: readonly DescentRow[]): string {
  const countOf = (wanted: DescentRow['outcome']) =>
    descents.filter(({ outcome }) => outcome === wanted).length
  return `Of ${counted(descents.length, 'measured curve')}, ${countOf('peak')} with a peak or low, ${countOf('no peak seen')} without, and ${countOf('cannot tell')} of which it cannot be told.`
}

function descentTable({ descents, metrics }: Sweep): Markup {
  const titles = new Map(metrics.map(({ name, title }) => [name, title]))
  const power = (height: number) => ({
    head: `Power at ${height} sd`,
    cell: (row: DescentRow) =>
      fixed(row.power.find((each) => each.height === height)?.power ?? null, 2),
    kind: 'number' as const,
  })
  return table(
    [
      { head: 'Curve', cell: (row) => nameOf(row) },
      { head: 'Axis', cell: (row) => row.axis },
      { head: 'Measure', cell: (row) => titles.get(row.metric) ?? row.metric, kind: 'text' },
      { head: 'Seeds', cell: (row) => row.seeds, kind: 'number' },
      { head: 'Found', cell: (row) => row.outcome },
      { head: 'At', cell: (row) => row.peak ?? '–', kind: 'number' },
      {
        head: '95 % interval',
        cell: (row) => (row.peakLower === null ? '–' : `${row.peakLower} – ${row.peakUpper}`),
        kind: 'number',
      },
      { head: 'Height in sd', cell: (row) => fixed(row.effect, 2), kind: 'number' },
      {
        head: 'p',
        cell: (row) => (row.pValue === null ? '–' : row.pValue.toPrecision(2)),
        kind: 'number',
      },
      power(0.5),
      power(1),
      power(2),
    ],
    descents,
  )
}
