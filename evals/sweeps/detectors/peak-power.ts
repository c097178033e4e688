/**
 * @file The power of the test for a peak of a given height, P(T ≥ the critical value), by simulation.
 *
 * The peak is one place wide, in the middle of a flat curve, with normal noise of the same size in all places.
 */
import { randomStream } from '../../statistics/random.ts'
import {
  bestTriple,
  cellsOf,
  criticalValue,
  DEEP_ROUNDS,
  differencesOf,
  FEWEST_PLACES,
  FEWEST_SEEDS,
  NULL_ROUNDS,
  nullOf,
  type Grid,
} from './peak-statistic.ts'

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

/** Heights among which the smallest visible one is looked for. */
const SIGHTS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4]
/** A peak is visible that this share of sweeps finds. */
const SEEN = 0.8
const SIGHT_ROUNDS = 500

/** The smallest height found in `SEEN` of sweeps; null above the largest of `SIGHTS`, and where the test needs more seeds or places. */
export function smallestSeen(seeds: number, places: number): number | null {
  if (seeds < FEWEST_SEEDS || places < FEWEST_PLACES) return null
  const grid = fullGrid(seeds, places)
  const isSeen = (height: number) => peakPower(grid, height, { rounds: SIGHT_ROUNDS }) >= SEEN
  return SIGHTS.find(isSeen) ?? null
}

/** Rounds that warm up, and that are timed. */
const [WARM, TIMED] = [50, 100]

/** Estimated seconds of the first test of a grid with so many seeds and places; those after it find its null and power kept. */
export function secondsOfTest(seeds: number, places: number): number {
  if (seeds < FEWEST_SEEDS || places < FEWEST_PLACES) return 0
  nullOf(fullGrid(seeds, places), WARM)
  const began = performance.now()
  nullOf(fullGrid(seeds, places), TIMED)
  const rounds = NULL_ROUNDS + DEEP_ROUNDS + HEIGHTS.length * ROUNDS
  return ((performance.now() - began) / 1000 / TIMED) * rounds
}

/** Numbers of seeds among which the smallest sufficient one is looked for. */
const TRIED_SEEDS = [3, 5, 10, 20, 40]

/** The smallest number of seeds that sees a peak of `height`; null if 40 do not. */
export const seedsNeeded = (places: number, height: number): number | null =>
  TRIED_SEEDS.find((seeds) => (smallestSeen(seeds, places) ?? Infinity) <= height) ?? null
