/** @file A sweep's own sections: what was swept, each measure along each axis, and what failed. */
import type { Block, Section } from '../../../contract/document.ts'
import { scaleAbove, type LineChart, type Series } from '../../../contract/document/charts.ts'
import type { Results } from '../../../contract/results.ts'
import type { MetricTitle, SeedSummary, Sweep, SweepAxis } from '../../../contract/sweeps.ts'
import { counted, percent } from '../../../contract/words.ts'
import { placeText, without } from '../../charts/places.ts'
import { sweepFigures } from '../../charts/sweep-figures.ts'
import {
  details,
  label,
  list,
  listed,
  number,
  paragraph,
  quoted,
  section,
  table,
} from '../../blocks.ts'

type Axes = Readonly<Record<string, number>>

export function sweepSummarySection({ sweep }: Results): Section[] {
  if (!sweep) return []
  const { axes, lines, cells, purpose } = sweep
  const failed = cells.filter(({ status }) => status === 'failed').length
  const seeds = new Set(cells.map(({ spec }) => spec.seed)).size
  const counts = `${counted(cells.length - failed, 'cell')} finished and ${failed} failed: ${counted(lines.length, 'curve')}, ${counted(seeds, 'seed')}.`
  return section(
    'What was swept',
    paragraph(purpose === null ? counts : `${counts} Purpose: ${purpose}`),
    list(sightTexts(sweep)),
    table(axes, [
      label('Axis', ({ title }) => title),
      label('Values', (axis) => axis.values.join(', ')),
    ]),
    table(lines, [label('Curve', ({ name }) => name), label('What it is', ({ title }) => title)]),
  )
}

/** A peak that is missed more often than not, though it is as high as this, is one that the sweep cannot see. */
const SEEN_AT_MOST = 2

function sightTexts({ sight = [], axes }: Sweep): string[] {
  return sight.map(({ axis, seeds, places, smallest }) => {
    const title = (axes.find(({ name }) => name === axis)?.title ?? axis).toLowerCase()
    const shown = `${counted(seeds, 'seed')} and ${counted(places, 'place')}`
    if (smallest === null || smallest > SEEN_AT_MOST)
      return `This sweep cannot see a peak along ${title}: with ${shown} one of ${SEEN_AT_MOST} standard deviations between seeds is found in fewer than 80 % of sweeps.`
    return `Along ${title}, ${shown} show a peak of ${counted(smallest, 'standard deviation')} between seeds in 80 % of sweeps.`
  })
}

/** For the terminal: how many cells, curves with a rebound, peaks, and curves without one. */
export function sweepLines({ sweep }: Results): Section[] {
  if (!sweep) return []
  const { cells, descents, rebounds } = sweep
  const failed = cells.filter(({ status }) => status === 'failed').length
  const rose = rebounds.filter(({ outcome }) => outcome !== 'none').length
  const peaks = descents.filter(({ outcome }) => outcome === 'peak')
  const without = descents.filter(({ outcome }) => outcome === 'no peak seen').length
  const unclear = descents.length - peaks.length - without
  const loss = `${rose} of ${counted(rebounds.length, 'training curve')} with a loss rebound`
  const rest = `${without} tests that saw none, ${unclear} that cannot tell`
  return [
    listed('Cells', [
      `${counted(cells.length - failed, 'cell')} done, ${failed} failed`,
      ...(rebounds.length > 0 ? [loss] : []),
      ...sightTexts(sweep),
    ]),
    listed(
      'Peaks',
      peaks.map(({ line, sentence }) => `${line}: ${sentence}`),
    ),
    listed('Other tests', descents.length > peaks.length ? [rest] : []),
  ].flat()
}

export function sweepFiguresSection({ sweep }: Results): Section[] {
  const figures = sweep ? sweepFigures(sweep) : []
  if (figures.length === 0) return []
  return section(
    'Double descent at a glance',
    paragraph(
      'For each axis the curve whose test for a peak gave the smallest p. Lines join medians over seeds, bands span the lowest and the highest seed. The grey band is where 95 % of means of so many seeds would lie if the best fitting curve without a peak were true.',
    ),
    figures.flatMap(({ chart, sentence }): Block[] => [chart, paragraph(sentence)]),
  )
}

export function sweepChartsSection({ sweep }: Results): Section[] {
  if (!sweep || sweep.summaries.length === 0) return []
  return section(
    'Along the axes',
    paragraph(
      'A curve joins the medians over seeds; the band spans the lowest and the highest seed, and each small dot is one seed. Places stand in the order of the axis.',
    ),
    sweep.metrics.flatMap((metric) => measureBlocks(sweep, metric)),
  )
}

function measureBlocks(sweep: Sweep, metric: MetricTitle): Block[] {
  const rows = sweep.summaries.filter((row) => row.metric === metric.name)
  const charts = sweep.axes.flatMap((axis): Block[] => {
    const series = seriesAlong(sweep, rows, axis, metric.name)
    if (series.length === 0) return []
    return [
      {
        type: 'line-chart',
        title: `${metric.title}, along ${axis.title.toLowerCase()}`,
        xLabel: axis.title.toLowerCase(),
        xScale: axis.scale,
        series,
        ...baseReference(rows, metric),
        ...yOf(metric, series),
      },
    ]
  })
  return [...charts, details(`The numbers: ${metric.title}`, summaryTable(sweep, rows, metric))]
}

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
  if (unit === 'share') return { range: [0, 1], format: 'percent' }
  const values = series.flatMap(({ points }) =>
    points.flatMap(({ lower, upper }) => [lower!, upper!]),
  )
  return { ...scaleAbove(values), format: 'significant' }
}

const numberText = (value: number, unit: MetricTitle['unit']): string =>
  unit === 'share' ? percent(value) : String(Number(value.toPrecision(4)))

function summaryTable({ axes }: Sweep, rows: readonly SeedSummary[], { unit }: MetricTitle) {
  return table(rows, [
    label('Curve', ({ line }) => line),
    ...axes.map(({ name, title }) => number<SeedSummary>(title, (row) => row.axes[name] ?? '–')),
    number('Seeds', ({ seeds }) => seeds),
    number('Median', ({ median }) => numberText(median, unit)),
    number('Mean', ({ mean }) => numberText(mean, unit)),
    number('Lowest', ({ minimum }) => numberText(minimum, unit)),
    number('Highest', ({ maximum }) => numberText(maximum, unit)),
  ])
}

export function sweepFailuresSection({ sweep }: Results): Section[] {
  const failed = sweep?.cells.filter(({ status }) => status === 'failed') ?? []
  if (failed.length === 0) return []
  return section(
    'Cells that failed',
    paragraph(['The same command with ', { code: '--retry-errors' }, ' runs them again.']),
    table(failed, [
      number('Cell', ({ position }) => position),
      label('Curve', ({ spec }) => spec.line),
      label('Place', ({ spec }) => placeText(spec.axes)),
      number('Seed', ({ spec }) => spec.seed),
      quoted('Error', ({ error }) => error?.code ?? ''),
      quoted('What happened', ({ error }) => error?.message ?? ''),
    ]),
  )
}
