/**
 * @file Tests whether a curve over capacity, steps or samples has an inner peak (test-error double descent, docs/methods/double-descent.md).
 *
 * H0: the mean curve falls, rises, or falls and then rises. H1: some inner place is higher than places on both sides. Under
 * H0 the test keeps α = 5 % for flat, falling, rising and stepped curves with unequal and correlated noise (simulated in its
 * unit test). The statistic is in `peak-statistic.ts`.
 */
import { bootstrap } from '../../statistics/bootstrap.ts'
import { meanOf } from '../../statistics/summary.ts'
import { withoutPeak } from './null-curve.ts'
import { canTell, powersOf, α, type Power } from './peak-power.ts'
import {
  bestTriple,
  differencesOf,
  FEWEST_PLACES,
  FEWEST_SEEDS,
  highestTriple,
  pValue,
  type Differences,
  type Grid,
  type Triple,
} from './peak-statistic.ts'

export interface PeakInput {
  /** Ascending. */
  readonly x: readonly number[]
  /** `[places, seeds]`: the value of each seed at each x, every seed at its own index; absent where the cell failed. */
  readonly values: readonly (readonly (number | null | undefined)[])[]
}

interface PeakOptions {
  /** 'valley' tests for an inner minimum, as of a refusal rate. */
  readonly shape?: 'peak' | 'valley'
  /** 'log' for errors that vary by factors; linear is used if a value is 0 or less. */
  readonly scale?: 'linear' | 'log'
}

type PeakVerdict = 'peak' | 'no peak seen' | 'cannot tell'

/** Where the curve is highest above both sides; on the log scale heights are differences of logarithms. */
export interface PeakFound {
  /** With a 95 % bootstrap interval over seeds; with few seeds it is too narrow. */
  readonly x: number
  readonly lower: number
  readonly upper: number
  /** Height of the mean above the lowest mean on the left, on the right, and the smaller of the two. */
  readonly rise: number
  readonly fall: number
  readonly height: number
  /** `height` in standard deviations between seeds at one place. */
  readonly heightInSds: number
  /** Number of seeds that are higher at x than at both lowest places, and of seeds that have all three. */
  readonly seedsWithPeak: number
  readonly seedsAsked: number
}

export interface PeakFinding {
  readonly verdict: PeakVerdict
  /** The reason for 'cannot tell'; null otherwise. */
  readonly reason: string | null
  readonly shape: 'peak' | 'valley'
  /** The scale that was used. */
  readonly scale: 'linear' | 'log'
  readonly α: number
  readonly p: number | null
  readonly seeds: number
  readonly places: number
  /** Number of cells without a usable value, and values of x left out because fewer than three seeds have them. */
  readonly droppedCells: number
  readonly droppedPlaces: readonly number[]
  /** The highest inner place, also if it is not significant; null if none is higher than both sides. */
  readonly found: PeakFound | null
  readonly power: readonly Power[]
  /** At the places that were kept, in units of the values; empty where nothing can be told. */
  readonly without: readonly WithoutPeak[]
}

/** The best fitting curve without such a peak, and the 95 % range of the mean of so many seeds around it. */
interface WithoutPeak {
  readonly x: number
  readonly y: number
  readonly lower: number
  readonly upper: number
}

export function testForPeak(input: PeakInput, options: PeakOptions = {}): PeakFinding {
  const { shape = 'peak' } = options
  const scale: PeakFinding['scale'] =
    options.scale === 'log' && allPositive(input) ? 'log' : 'linear'
  const { x, grid, droppedCells, droppedPlaces } = gridOf(input, shape, scale)
  const { seeds, places } = grid
  const base = { shape, scale, α, droppedCells, droppedPlaces, seeds, places }
  const cannotTell = (reason: string): PeakFinding => ({
    ...base,
    verdict: 'cannot tell',
    reason,
    p: null,
    found: null,
    power: [],
    without: [],
  })
  if (seeds < FEWEST_SEEDS) return cannotTell(`there are ${seeds} seeds, and it needs 3`)
  if (places < FEWEST_PLACES) {
    return cannotTell(
      `${places} places have values of at least three seeds, and an inner one needs 3`,
    )
  }
  const differences = differencesOf(grid)
  if (!(differences.pooledVariance > 0)) {
    return cannotTell('the seeds do not differ, so that there is no noise to hold a peak against')
  }
  const best = bestTriple(differences)
  if (!best) return cannotTell('no inner place shares three seeds with places on both sides')
  const power = powersOf(grid)
  const p = pValue(grid, best.height)
  const top = highestTriple(differences)!
  const found = top.height > 0 ? describePeak(x, grid, differences, top) : null
  const without = nullCurve(x, grid, differences, { shape, scale })
  const told = { ...base, p, found, power, without }
  if (p <= α) return { ...told, verdict: 'peak', reason: null }
  if (canTell(power)) return { ...told, verdict: 'no peak seen', reason: null }
  const reason =
    'a peak of 2 standard deviations between seeds would be found less than half of the time'
  return { ...told, verdict: 'cannot tell', reason }
}

/** Leaving out errors of 0 would leave out the best seeds. */
const allPositive = ({ values }: PeakInput): boolean =>
  values.flat().every((value) => !(Number.isFinite(value) && value! <= 0))

/** Usable values as a grid, negated for valleys, without places that fewer than three seeds have. */
function gridOf({ x, values }: PeakInput, shape: 'peak' | 'valley', scale: 'linear' | 'log') {
  if (x.length !== values.length) throw new Error('internal: each x needs its values')
  if (x.some((value, i) => i > 0 && !(value > x[i - 1]!)))
    throw new Error('internal: x must ascend')
  const sign = shape === 'peak' ? 1 : -1
  const usable = (value: number | null | undefined) => {
    const scaled = scale === 'log' ? Math.log(value ?? NaN) : (value ?? NaN)
    return Number.isFinite(scaled) ? sign * scaled : NaN
  }
  const width = Math.max(0, ...values.map((row) => row.length))
  const rows = values.map((row) => Array.from({ length: width }, (_, s) => usable(row[s])))
  const droppedCells = rows.flat().filter(Number.isNaN).length
  const countOf = (row: readonly number[]) => row.filter((value) => !Number.isNaN(value)).length
  const isKept = rows.map((row) => countOf(row) >= Math.min(FEWEST_SEEDS, width))
  const kept = rows.filter((_, i) => isKept[i])
  const y = Float64Array.from({ length: width * kept.length }, (_, at) => {
    return kept[at % kept.length]![Math.floor(at / kept.length)]!
  })
  return {
    x: x.filter((_, i) => isKept[i]),
    grid: { seeds: width, places: kept.length, y },
    droppedCells,
    droppedPlaces: x.filter((_, i) => !isKept[i]),
  }
}

function describePeak(
  x: readonly number[],
  grid: Grid,
  { mean, pooledVariance }: Differences,
  { i, j, k, height }: Triple,
): PeakFound {
  const { seeds, places, y } = grid
  const interval = bootstrap(seeds, (drawn) => placeIn(grid, drawn), { seed: 0, resamples: 2000 })
  const cells = range(0, seeds)
    .map((s) => [i, j, k].map((at) => y[s * places + at]!))
    .filter((each) => !each.some(Number.isNaN))
  return {
    x: x[j]!,
    lower: x[Math.min(j, Math.floor(interval.lower ?? 1))]!,
    upper: x[Math.max(j, Math.ceil(interval.upper ?? places - 2))]!,
    rise: mean[i * places + j]!,
    fall: -mean[j * places + k]!,
    height,
    heightInSds: height / Math.sqrt(pooledVariance / 2),
    seedsWithPeak: cells.filter(([left, top, right]) => top! > left! && top! > right!).length,
    seedsAsked: cells.length,
  }
}

/** 97.5 % of a normal distribution lie below. */
const Z = 1.96

function nullCurve(
  x: readonly number[],
  { seeds, places, y }: Grid,
  { pooledVariance }: Differences,
  { shape, scale }: Pick<PeakFinding, 'shape' | 'scale'>,
): WithoutPeak[] {
  const columns = x.map((_, at) =>
    range(0, seeds).flatMap((s) => {
      const value = y[s * places + at]!
      return Number.isNaN(value) ? [] : [value]
    }),
  )
  const sign = shape === 'peak' ? 1 : -1
  const inUnits = (value: number) => (scale === 'log' ? Math.exp(sign * value) : sign * value)
  return withoutPeak(columns.map(meanOf)).map((value, at) => {
    const reach = Z * Math.sqrt(pooledVariance / 2 / columns[at]!.length)
    const [low, high] = [inUnits(value - reach), inUnits(value + reach)]
    return { x: x[at]!, y: inUnits(value), lower: Math.min(low, high), upper: Math.max(low, high) }
  })
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

/** The highest inner place of a resample; null if none can be compared. */
function placeIn(grid: Grid, drawn: Uint32Array): number | null {
  const { places, y } = grid
  const resampled = new Float64Array(y.length)
  drawn.forEach((from, to) => {
    resampled.set(y.subarray(from * places, (from + 1) * places), to * places)
  })
  return highestTriple(differencesOf({ ...grid, y: resampled }))?.j ?? null
}
