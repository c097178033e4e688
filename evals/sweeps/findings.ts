/** @file Two separate phenomena: loss rebound over steps, and an inner peak along an axis (docs/methods/double-descent.md). */
import type { CellRow, DescentRow, ReboundRow, SweepAxis } from '../contract/sweeps.ts'
import { canonicalJson } from '../files/canonical-json.ts'
import { peakText } from './detectors/peak-text.ts'
import { testForPeak } from './detectors/peak.ts'
import { detectRebound } from './detectors/rebound.ts'
import type { Measure } from './metrics.ts'
import { median } from '../statistics/median.ts'

/** Curves over steps in which a rebound is looked for. */
const TRAINING_CURVES: ReadonlySet<string> = new Set(['train-loss'])
/** A peak has places on both sides. */
const FEWEST_PLACES = 3

/** One row for the training curve of the cell, if it has one. */
export function reboundRows({ spec, curves }: CellRow): ReboundRow[] {
  const { line, axes, seed } = spec
  return curves
    .filter(({ name }) => TRAINING_CURVES.has(name))
    .map(({ y }) => {
      const { label, rebound, recovery, p } = detectRebound(y)
      const isKnown = rebound !== null && Number.isFinite(rebound)
      const R = isKnown ? rebound : null
      return { line, axes, seed, outcome: label, rebound: R, recovery, pValue: p }
    })
}

/** One row for each measure and curve along each axis with at least three places, the other axes fixed. */
export function descentRows(
  cells: readonly CellRow[],
  axes: readonly SweepAxis[],
  measures: readonly Measure[],
): DescentRow[] {
  return axes
    .filter(({ values }) => values.length >= FEWEST_PLACES)
    .flatMap((axis) =>
      curvesAlong(cells, axis.name).flatMap((curve) =>
        measures.flatMap((measure) => descentOf(curve, axis, measure) ?? []),
      ),
    )
}

interface Along {
  readonly line: string
  /** Values of the other axes. */
  readonly axes: Readonly<Record<string, number>>
  readonly cells: readonly CellRow[]
}

function curvesAlong(cells: readonly CellRow[], axis: string): Along[] {
  const withAxis = cells.filter(({ spec }) => axis in spec.axes)
  const others = ({ spec }: CellRow) =>
    Object.fromEntries(Object.entries(spec.axes).filter(([name]) => name !== axis))
  const groups = Map.groupBy(withAxis, (cell) => canonicalJson([cell.spec.line, others(cell)]))
  return [...groups.values()].map((group) => ({
    line: group[0]!.spec.line,
    axes: others(group[0]!),
    cells: group,
  }))
}

function descentOf(
  { line, axes, cells }: Along,
  axis: SweepAxis,
  { name: metric, title, shape, scale }: Measure,
): DescentRow | undefined {
  if (shape === undefined) return undefined
  const valueOf = (x: number, seed: number) =>
    cells
      .find(({ spec }) => spec.axes[axis.name] === x && spec.seed === seed)
      ?.metrics.find(({ name }) => name === metric)?.value
  const seeds = [...new Set(cells.map(({ spec }) => spec.seed))].sort((a, b) => a - b)
  const values = axis.values.map((x) => seeds.map((seed) => valueOf(x, seed)))
  if (values.flat().every((value) => value === undefined)) return undefined
  const finding = testForPeak({ x: axis.values, values }, { shape, scale })
  const extreme = extremeOf(axis.values, values, shape)
  const { verdict: outcome, found, p: pValue, power } = finding
  return {
    line,
    axis: axis.name,
    axes: { ...axes },
    metric,
    seeds: seeds.length,
    shape,
    outcome,
    peak: found?.x ?? null,
    peakLower: found?.lower ?? null,
    peakUpper: found?.upper ?? null,
    extreme,
    effect: found?.heightInSds ?? null,
    pValue,
    power: power.map((each) => ({ ...each })),
    sentence: peakText(finding, { quantity: inSentence(title), axis: inSentence(axis.title) }),
  }
}

const inSentence = (title: string): string => title.charAt(0).toLowerCase() + title.slice(1)

function extremeOf(
  places: readonly number[],
  values: readonly (readonly (number | undefined)[])[],
  shape: 'peak' | 'valley',
): number {
  const sign = shape === 'peak' ? 1 : -1
  const heights = values.flatMap((row, i) => {
    const known = row.filter((value) => value !== undefined)
    return known.length === 0 ? [] : [{ x: places[i]!, height: sign * median(known) }]
  })
  return heights.reduce((best, each) => (each.height > best.height ? each : best)).x
}
