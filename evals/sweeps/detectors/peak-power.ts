/**
 * @file The power of the test for a peak of a given height, P(T ≥ the critical value), by simulation.
 *
 * The peak is one place wide, in the middle of a flat curve, with normal noise of the same size in all places.
 */
import { randomStream } from '../../statistics/random.ts'
import { bestTriple, cellsOf, criticalValue, differencesOf, type Grid } from './peak-statistic.ts'

/** Heights whose power is reported, in standard deviations between seeds at one place. */
export const HEIGHTS = [0.5, 1, 2] as const
/** The height that a sweep should detect: if its power is below `EVEN_ODDS`, the verdict is 'cannot tell'. */
const HEIGHT_OF_INTEREST = 2
const EVEN_ODDS = 0.5
export const α = 0.05
const ROUNDS = 2000

export interface Power {
  readonly height: number
  readonly power: number
}

/** A grid with all cells of `seeds` × `places`. */
export const fullGrid = (seeds: number, places: number): Grid => ({
  seeds,
  places,
  y: new Float64Array(seeds * places),
})

/** For grids with the same cells as `grid`, whatever its values. */
export function peakPower(grid: Grid, height: number, options: { seed?: number; rounds?: number }) {
  const { seed = 0, rounds = ROUNDS } = options
  const { seeds, places } = grid
  const critical = criticalValue(grid, α)
  const stream = randomStream(seed, `peak of ${height} over ${seeds} × ${places}`)
  const middle = places >> 1
  let found = 0
  for (let round = 0; round < rounds; round++) {
    const y = grid.y.map((value, at) =>
      Number.isNaN(value) ? NaN : stream.normal() + (at % places === middle ? height : 0),
    )
    if ((bestTriple(differencesOf({ seeds, places, y }))?.height ?? -Infinity) >= critical) found++
  }
  return found / rounds
}

const powers = new Map<string, readonly Power[]>()
const KEPT_POWERS = 64

/** The power for each of `HEIGHTS`. It depends only on which cells exist, so results are cached. */
export function powersOf(grid: Grid): readonly Power[] {
  const key = cellsOf(grid)
  const known = powers.get(key)
  if (known) return known
  const found = HEIGHTS.map((height) => ({ height, power: peakPower(grid, height, {}) }))
  if (powers.size >= KEPT_POWERS) powers.clear()
  powers.set(key, found)
  return found
}

/** Whether a peak of `HEIGHT_OF_INTEREST` would be found with probability at least `EVEN_ODDS`. */
export const canTell = (all: readonly Power[]): boolean =>
  all.some(({ height, power }) => height === HEIGHT_OF_INTEREST && power >= EVEN_ODDS)
