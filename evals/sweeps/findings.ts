/** @file Two separate phenomena: loss rebound over steps, and an inner peak along an axis (docs/methods/double-descent.md). */
import type { CellCurve, CellRow, DescentRow, ReboundRow, SweepAxis } from '../contract/sweeps.ts'
import { holmAdjusted } from '../statistics/paired/holm.ts'
import { canonicalJson } from '../files/canonical-json.ts'
import { byPlace } from './curve-summaries.ts'
import { FEWEST_PLACES } from './detectors/peak-statistic.ts'
import { peakText } from './detectors/peak-text.ts'
import { testForPeak } from './detectors/peak.ts'
import { detectRebound } from './detectors/rebound.ts'
import type { Measure, Shape } from './metrics.ts'
import { median } from '../statistics/median.ts'

/** Curves over steps in which a rebound is looked for. */
const TRAINING_CURVES: ReadonlySet<string> = new Set(['train-loss'])
/** Looks of a training at which its curve is tested. */
export const MOST_LOOKS = 13

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

/** A row for each measure and shape of each curve along each axis, the other axes fixed, and along each training; all adjusted together. */
export function descentRows(
  cells: readonly CellRow[],
  axes: readonly SweepAxis[],
  measures: readonly Measure[],
): DescentRow[] {
  const rows = [...alongAxes(cells, axes), ...alongTrainings(cells)].flatMap((along) =>
    measures.flatMap((measure) =>
      measure.shapes.flatMap((shape) => descentOf(along, measure, shape) ?? []),
    ),
  )
  const tested = rows.filter(({ pValue }) => pValue !== null)
  const adjusted = holmAdjusted(tested.map(({ pValue }) => pValue!))
  return rows.map((row) => ({ ...row, adjusted: adjusted[tested.indexOf(row)] ?? null }))
}

/** One curve of each measure: what each seed has at each place. */
export interface Along {
  readonly line: string
  readonly axis: { readonly name: string; readonly title: string }
  /** Values of the other axes. */
  readonly axes: Readonly<Record<string, number>>
  readonly places: readonly number[]
  /** Those at which a peak is tested for. */
  readonly tested: readonly number[]
  readonly seeds: readonly number[]
  readonly value: (metric: string, place: number, seed: number) => number | undefined
}

export function alongAxes(cells: readonly CellRow[], axes: readonly SweepAxis[]): Along[] {
  return axes
    .filter(({ values }) => values.length >= FEWEST_PLACES)
    .flatMap((axis) =>
      curvesAlong(cells, axis.name).map((group) => ({
        line: group[0]!.spec.line,
        axis,
        axes: without(group[0]!.spec.axes, axis.name),
        places: axis.values,
        tested: axis.values,
        seeds: seedsOf(group),
        value: (metric, place, seed) =>
          group
            .find(({ spec }) => spec.axes[axis.name] === place && spec.seed === seed)
            ?.metrics.find(({ name }) => name === metric)?.value,
      })),
    )
}

/** Each curve but that of the training loss, at the looks that every seed has. */
export function alongTrainings(cells: readonly CellRow[]): Along[] {
  return byPlace(cells).flatMap((group) => {
    const { line, axes, kind } = group[0]!.spec
    const names = new Set(group.flatMap(({ curves }) => curves.map(({ name }) => name)))
    return [...names]
      .filter((name) => !TRAINING_CURVES.has(name))
      .flatMap((name) => {
        const curves = new Map(
          group.map((cell) => [cell.spec.seed, cell.curves.find((curve) => curve.name === name)]),
        )
        const looks = sharedLooks([...curves.values()])
        if (looks.length < FEWEST_PLACES) return []
        return {
          line,
          axis: kind === 'testbed' ? EPOCH : STEP,
          axes,
          places: looks,
          tested: thinned(looks),
          seeds: seedsOf(group),
          value: (metric, place, seed) => {
            const curve = metric === name ? curves.get(seed) : undefined
            return curve?.y[curve.x.indexOf(place)]
          },
        }
      })
  })
}

const EPOCH = { name: 'epoch', title: 'Epoch' }
const STEP = { name: 'step', title: 'Step' }

function sharedLooks(curves: readonly (CellCurve | undefined)[]): number[] {
  const [first, ...others] = curves.map((curve) => curve?.x ?? [])
  return first!.filter((x) => others.every((xs) => xs.includes(x)))
}

function thinned(looks: readonly number[]): number[] {
  const last = looks.length - 1
  const count = Math.min(MOST_LOOKS, looks.length)
  return Array.from({ length: count }, (_, i) => looks[Math.round((i * last) / (count - 1))]!)
}

const seedsOf = (cells: readonly CellRow[]) =>
  [...new Set(cells.map(({ spec }) => spec.seed))].sort((a, b) => a - b)

const without = (axes: Readonly<Record<string, number>>, axis: string) =>
  Object.fromEntries(Object.entries(axes).filter(([name]) => name !== axis))

function curvesAlong(cells: readonly CellRow[], axis: string): CellRow[][] {
  const withAxis = cells.filter(({ spec }) => axis in spec.axes)
  const groups = Map.groupBy(withAxis, ({ spec }) =>
    canonicalJson([spec.line, without(spec.axes, axis)]),
  )
  return [...groups.values()]
}

function descentOf(
  { line, axis, axes, tested: places, seeds, value }: Along,
  { name: metric, title, scale }: Measure,
  shape: Shape,
): DescentRow | undefined {
  const values = places.map((place) => seeds.map((seed) => value(metric, place, seed)))
  if (values.flat().every((each) => each === undefined)) return undefined
  const finding = testForPeak({ x: places, values }, { shape, scale })
  const extreme = extremeOf(places, values, shape)
  const { verdict: outcome, found, p: pValue, power, without: level } = finding
  return {
    line,
    axis: axis.name,
    axes: { ...axes },
    metric,
    seeds: seeds.length,
    places: places.length,
    shape,
    outcome,
    peak: found?.x ?? null,
    peakLower: found?.lower ?? null,
    peakUpper: found?.upper ?? null,
    extreme,
    effect: found?.heightInSds ?? null,
    pValue,
    without: level.map((each) => ({ ...each })),
    power: power.map((each) => ({ ...each })),
    sentence: peakText(finding, { quantity: inSentence(title), axis: inSentence(axis.title) }),
  }
}

const inSentence = (title: string): string => title.charAt(0).toLowerCase() + title.slice(1)

function extremeOf(
  places: readonly number[],
  values: readonly (readonly (number | undefined)[])[],
  shape: Shape,
): number {
  const sign = shape === 'peak' ? 1 : -1
  const heights = values.flatMap((row, i) => {
    const known = row.filter((value) => value !== undefined)
    return known.length === 0 ? [] : [{ x: places[i]!, height: sign * median(known) }]
  })
  return heights.reduce((best, each) => (each.height > best.height ? each : best)).x
}
