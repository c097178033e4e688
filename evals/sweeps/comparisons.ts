/** @file What methods do to an inner peak: each against the first, and each with a control against that, over the same seeds. */
import type { CellRow, PeakComparison, SweepAxis } from '../contract/sweeps.ts'
import { canonicalJson } from '../files/canonical-json.ts'
import { armNameOf, type MethodChoice } from '../finetune/method-choice.ts'
import { findMethod } from '../finetune/registry.ts'
import { holmAdjusted } from '../statistics/paired/holm.ts'
import {
  FEWEST_PAIRS,
  outcomeOf,
  pairedEffect,
  peakSize,
  type PeakSize,
} from './detectors/peak-effect.ts'
import { alongAxes, type Along } from './findings.ts'
import type { Measure, Shape } from './metrics.ts'

/** Which line is held against which. */
interface Pair {
  readonly line: string
  readonly against: string
}

export function pairsIn(methods: readonly MethodChoice[]): Pair[] {
  const [first, ...rest] = methods
  if (!first) return []
  const settingsOf = ({ name, config }: MethodChoice) => findMethod(name).config.parse(config)
  const controls = methods.flatMap((choice) => {
    const control = findMethod(choice.name).control?.(settingsOf(choice))
    const isIt = (other: MethodChoice) =>
      control !== undefined &&
      other.name === choice.name &&
      canonicalJson(settingsOf(other)) === canonicalJson(control)
    return methods
      .filter(isIt)
      .map((other) => ({ line: armNameOf(choice), against: armNameOf(other) }))
  })
  const against = armNameOf(first)
  return [...rest.map((choice) => ({ line: armNameOf(choice), against })), ...controls]
}

/** p-values are Holm's over the rows of one axis and measure. */
export function comparisonRows(
  cells: readonly CellRow[],
  axes: readonly SweepAxis[],
  measures: readonly Measure[],
  pairs: readonly Pair[],
): PeakComparison[] {
  return axes.flatMap((axis) => {
    const curves = alongAxes(cells, [axis])
    return measures.flatMap((measure) => {
      const found = pairs.flatMap((pair) => compared(curves, axis, measure, pair))
      const adjusted = holmAdjusted(found.map(({ height }) => height.pValue))
      return found.map((row, i) => withOutcome(row, adjusted[i]!))
    })
  })
}

type Compared = Omit<PeakComparison, 'outcome'>

/** One row for each place on the other axes that both lines have. */
function compared(
  curves: readonly Along[],
  axis: SweepAxis,
  measure: Measure,
  { line, against }: Pair,
): Compared[] {
  const { name: metric, shapes } = measure
  const [shape] = shapes
  if (shape === undefined) return []
  return curves
    .filter((curve) => curve.line === line)
    .flatMap((own) => {
      const place = canonicalJson(own.axes)
      const isThere = (curve: Along) =>
        curve.line === against && canonicalJson(curve.axes) === place
      const other = curves.find(isThere)
      if (!other) return []
      const [sizes, references] = [own, other].map((curve) => sizesOf(curve, axis, metric, shape))
      const seeds = [...sizes!.keys()].filter((seed) => references!.has(seed))
      if (seeds.length < FEWEST_PAIRS) return []
      const effect = (quantity: keyof PeakSize) =>
        pairedEffect(
          seeds.map((seed) => sizes!.get(seed)![quantity]),
          seeds.map((seed) => references!.get(seed)![quantity]),
        )
      const where = { line, against, axis: axis.name, axes: { ...own.axes }, metric, shape }
      const [height, shift, area] = [effect('height'), effect('place'), effect('area')]
      return [{ ...where, seeds: seeds.length, height, place: shift, area }]
    })
}

/** Of the seeds that have every place. */
function sizesOf(along: Along, axis: SweepAxis, metric: string, shape: Shape) {
  const { places, seeds } = along
  const sign = shape === 'valley' ? -1 : 1
  const u = places.map((x) => (axis.scale === 'log' ? Math.log2(x) : x))
  const all = seeds.map((seed) => {
    const y = places.map((x) => sign * (along.value(metric, x, seed) ?? NaN))
    return [seed, y] as const
  })
  const whole = all.filter(([, y]) => y.every(Number.isFinite))
  return new Map(whole.map(([seed, y]) => [seed, peakSize(u, y)]))
}

function withOutcome(row: Compared, pValue: number): PeakComparison {
  const height = { ...row.height, pValue }
  return { ...row, height, outcome: outcomeOf(height) }
}
