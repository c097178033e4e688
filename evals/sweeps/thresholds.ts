/** @file Where trainings begin to fit every row, and how small a peak a sweep can see. */
import type { CellRow, DescentRow, PeakSight, SweepAxis, Threshold } from '../contract/sweeps.ts'
import { smallestSeen } from './detectors/peak-power.ts'
import { alongAxes, alongTrainings, type Along } from './findings.ts'
import { TRAIN_ERROR } from './metrics.ts'

/** Fitting is harder with more of it, so that its threshold is the highest place. */
const SAMPLES = 'samples'

/** One for each curve of a training error. */
export function thresholdsOf(cells: readonly CellRow[], axes: readonly SweepAxis[]): Threshold[] {
  return [...alongAxes(cells, axes), ...alongTrainings(cells)].flatMap((along) => {
    const shares = along.places.map((place) => fittedShare(along, place))
    if (shares.every((share) => share === undefined)) return []
    const { line, axis, axes: others, places } = along
    const fitted = places.filter((_, i) => (shares[i] ?? 0) >= 0.5)
    const at = (axis.name === SAMPLES ? fitted.at(-1) : fitted[0]) ?? null
    return { line, axis: axis.name, axes: { ...others }, at }
  })
}

/** Share of seeds with a training error of 0; undefined if none has one. */
function fittedShare({ seeds, value }: Along, place: number): number | undefined {
  const errors = seeds.flatMap((seed) => value(TRAIN_ERROR, place, seed) ?? [])
  if (errors.length === 0) return undefined
  return errors.filter((error) => error === 0).length / errors.length
}

/** For each axis along which a peak was looked for, by its curve with the fewest seeds. */
export function sightOf(descents: readonly DescentRow[]): PeakSight[] {
  return [...Map.groupBy(descents, ({ axis }) => axis)].map(([axis, rows]) => {
    const least = rows.reduce((a, b) => (b.seeds < a.seeds ? b : a))
    const { seeds, places = 0 } = least
    return { axis, seeds, places, smallest: smallestSeen(seeds, places) }
  })
}
