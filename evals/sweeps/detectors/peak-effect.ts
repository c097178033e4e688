/**
 * @file How high a curve's inner peak is, where, and how much it holds; and whether another treatment of the same seeds lowers it.
 *
 *     envelope e_j = max(min_{i ≤ j} y_i, min_{k ≥ j} y_k)     the highest curve under y that falls and then rises
 *     height = max_j (y_j − e_j)     place = its u     area = ∫ (y − e) du by trapezoids
 *
 * Noise alone gives every curve some height, alike for both treatments where they do nothing; the paired differences are held
 * against 0 by Student's t over seeds.
 */
import type { PeakOutcome } from '../../contract/sweeps.ts'
import { studentLowerTail, studentQuantile } from '../../statistics/student.ts'
import { meanAndSd, meanOf } from '../../statistics/summary.ts'

export interface PeakSize {
  readonly height: number
  /** Of the highest excess; that of the middle of the axis where there is none. */
  readonly place: number
  readonly area: number
}

/** @param u places, ascending, on the scale on which area and place are counted */
export function peakSize(u: readonly number[], y: readonly number[]): PeakSize {
  const lowest = (values: readonly number[]) => Math.min(...values)
  const excess = y.map((value, j) => {
    return value - Math.max(lowest(y.slice(0, j + 1)), lowest(y.slice(j)))
  })
  const height = Math.max(...excess)
  const middle = (u[0]! + u.at(-1)!) / 2
  const area = excess.reduce(
    (sum, e, j) => (j === 0 ? 0 : sum + ((e + excess[j - 1]!) / 2) * (u[j]! - u[j - 1]!)),
    0,
  )
  return { height, place: height > 0 ? u[excess.indexOf(height)]! : middle, area }
}

interface PairedEffect {
  /** Means over the seeds. */
  readonly own: number
  readonly against: number
  /** own − against, its 95 % interval, and two-sided p. */
  readonly difference: number
  readonly lower: number
  readonly upper: number
  readonly pValue: number
  /** The difference that this many seeds would show with a chance of 80 %. */
  readonly smallest: number
}

const [CONFIDENCE, POWER] = [0.975, 0.8]
export const FEWEST_PAIRS = 3

/** @param own one value a seed, and `against` the same seeds in the same order; at least three */
export function pairedEffect(own: readonly number[], against: readonly number[]): PairedEffect {
  const { mean: difference, sd } = meanAndSd(own.map((value, s) => value - against[s]!))
  const degrees = own.length - 1
  const error = sd! / Math.sqrt(own.length)
  const t = studentQuantile(CONFIDENCE, degrees)
  const isSame = error === 0 && difference === 0
  return {
    own: meanOf(own),
    against: meanOf(against),
    difference,
    lower: difference - t * error,
    upper: difference + t * error,
    pValue: isSame ? 1 : 2 * studentLowerTail(-Math.abs(difference / error), degrees),
    smallest: (t + studentQuantile(POWER, degrees)) * error,
  }
}

/** An effect below this share of the reference's height is none of interest. */
const MARGIN = 0.25
const ALPHA = 0.05

/** Of the claim that the height is lowered; `pValue` as it is after a correction for several. */
export function outcomeOf({
  against,
  difference,
  lower,
  upper,
  pValue,
}: Omit<PairedEffect, 'own' | 'smallest'>): PeakOutcome {
  if (pValue <= ALPHA) return difference < 0 ? 'found' : 'opposite'
  const margin = MARGIN * against
  return lower > -margin && upper < margin ? 'not found' : 'cannot be told apart'
}
