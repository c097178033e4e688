/** @file Two panels that must not be confused: loss rebound over steps, and test-error double descent along an axis. */
import type { Block, Section } from '../../../contract/document.ts'
import { scaleAbove } from '../../../contract/document/charts.ts'
import type { Results } from '../../../contract/results.ts'
import type { CurveSummary, DescentRow, ReboundRow, Sweep } from '../../../contract/sweeps.ts'
import { counted } from '../../../contract/words.ts'
import {
  details,
  label,
  list,
  number,
  paragraph,
  quoted,
  section,
  table,
  asNumbers,
} from '../../blocks.ts'
import { fixed, significant } from '../../view.ts'
import { placeText } from '../../charts/places.ts'

const OUTCOME_TEXT: Readonly<Record<ReboundRow['outcome'], string>> = {
  none: 'no rebound',
  double_descent: 'rose and fell again',
  divergence: 'rose and stayed',
}

/** More curves in one chart cannot be told apart. */
const MOST_SERIES = 12

const nameOf = ({ line, axes }: Pick<CurveSummary, 'line' | 'axes'>) =>
  [line, placeText(axes)].filter((text) => text !== '').join(', ')

export function reboundSection({ sweep }: Results): Section[] {
  if (!sweep || sweep.rebounds.length === 0) return []
  const rose = sweep.rebounds.filter(({ outcome }) => outcome !== 'none').length
  return section(
    'Loss rebound over steps',
    paragraph(
      `This is an instability of the training loss, as in the paper on GGPO; it is not the test-error double descent below. A curve rebounds where its smoothed loss rises by a tenth of what it had fallen (R ≥ 0.10) and noise as large as the curve’s would rise as far in at most 5 % of falling curves (p); it recovers where half of the rise is lost again. Curves of under 30 steps get no label. ${rose} of ${counted(sweep.rebounds.length, 'curve')} rebounded.`,
    ),
    curveCharts(sweep, 'train-loss', 'Training loss'),
    asNumbers(reboundTable(sweep.rebounds)),
  )
}

/** One chart for each line, a curve for each place: the median over seeds with the range as a band. */
function curveCharts(sweep: Sweep, name: string, title: string): Block[] {
  const curves = sweep.curves.filter((curve) => curve.name === name && curve.points.length > 1)
  return [...Map.groupBy(curves, ({ line }) => line)].map(([line, members]) => ({
    type: 'line-chart',
    title: `${title} over steps: ${line}`,
    xLabel: 'training step',
    ...scaleAbove(members.flatMap(({ points }) => points.flatMap(edgesOf))),
    series: members.slice(0, MOST_SERIES).map((curve, n) => ({
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
    format: 'significant',
  }))
}

const edgesOf = ({ minimum, maximum }: CurveSummary['points'][number]) => [minimum, maximum]

const reboundTable = (rebounds: readonly ReboundRow[]) =>
  table(rebounds, [
    label('Curve', ({ line }) => line),
    label('Place', ({ axes }) => placeText(axes)),
    number('Seed', ({ seed }) => seed),
    number('R', ({ rebound }) => fixed(rebound, 3)),
    number('p', ({ pValue }) => fixed(pValue, 3)),
    number('Recovery', ({ recovery }) => fixed(recovery, 2)),
    label('Found', ({ outcome }) => OUTCOME_TEXT[outcome]),
  ])

export function descentSection({ sweep }: Results): Section[] {
  if (!sweep || sweep.descents.length === 0) return []
  const { descents } = sweep
  const peaks = descents.filter(({ outcome }) => outcome === 'peak')
  const inWords = descents.map((row) => `${nameOf(row)}: ${row.sentence}`)
  return section(
    'Test-error double descent',
    paragraph(
      'Along an axis of capacity, samples or steps the error may rise to an inner peak and fall again (Nakkiran et al. 2019). Each curve of an error is tested for one inner peak, and each of a rate for one and for an inner low, with at most 5 % false alarms on curves without one. Where a peak of two standard deviations between seeds would be missed more often than not, the panel says that it cannot tell.',
    ),
    paragraph(descentCounts(descents)),
    peaks.length > 0 && list(peaks.map((row) => [{ strong: nameOf(row) }, `: ${row.sentence}`])),
    details('Every curve in words', list(inWords)),
    asNumbers(descentTable(sweep)),
  )
}

function descentCounts(descents: readonly DescentRow[]): string {
  const countOf = (wanted: DescentRow['outcome']) =>
    descents.filter(({ outcome }) => outcome === wanted).length
  return `Of ${counted(descents.length, 'test')} for a peak or a low, ${countOf('peak')} found one, ${countOf('no peak seen')} did not, and ${countOf('cannot tell')} cannot tell.`
}

function descentTable({ descents, metrics }: Sweep) {
  const titles = new Map(metrics.map(({ name, title }) => [name, title]))
  const powerAt = (height: number) =>
    number<DescentRow>(`Power at ${height} sd`, ({ power }) =>
      fixed(power.find((each) => each.height === height)?.power, 2),
    )
  return table(descents, [
    label('Curve', nameOf),
    label('Axis', ({ axis }) => axis),
    quoted('Measure', ({ metric }) => titles.get(metric) ?? metric),
    label('Tested for', ({ shape }) => (shape === 'valley' ? 'a low' : 'a peak')),
    number('Seeds', ({ seeds }) => seeds),
    label('Found', ({ outcome }) => outcome),
    number('At', ({ peak }) => peak ?? '–'),
    number('95 % interval', ({ peakLower, peakUpper }) =>
      peakLower === null ? '–' : `${peakLower} – ${peakUpper}`,
    ),
    number('Height in sd', ({ effect }) => fixed(effect, 2)),
    number('p', ({ pValue }) => significant(pValue, 2)),
    powerAt(0.5),
    powerAt(1),
    powerAt(2),
  ])
}
