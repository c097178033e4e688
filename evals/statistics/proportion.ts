/**
 * @file Intervals for a proportion p̂ = x/n.
 *
 * Wilson (1927): centre = (p̂ + z²/2n) / (1 + z²/n), half = z √(p̂(1 − p̂)/n + z²/4n²) / (1 + z²/n).
 */
import { requireCounts } from './require.ts'

export interface Interval {
  readonly lower: number
  readonly upper: number
}

/** The two-sided 95 % point of the normal distribution. */
export const Z95 = 1.959964

/**
 * Wilson's score interval, clipped to [0, 1]; [0, 1] without observations. Its width is never 0, not even at x = 0 or x = n.
 */
export function wilson(successes: number, n: number, z = Z95): Interval {
  requireCounts({ successes, n, 'n − successes': n - successes })
  return n === 0 ? { lower: 0, upper: 1 } : wilsonOfShare(successes / n, n, z)
}

/** A share with its limits. */
export interface LimitedShare extends Interval {
  readonly share: number
}

/** The share of `successes` in `n` > 0 with Wilson's limits. */
export const wilsonShare = (successes: number, n: number, z = Z95): LimitedShare => ({
  share: successes / n,
  ...wilson(successes, n, z),
})

/**
 * Wilson's interval of a share of `n` > 0 observations. n need not be whole: dependent replies have a smaller effective number.
 */
export function wilsonOfShare(p: number, n: number, z = Z95): Interval {
  const scale = 1 + (z * z) / n
  const centre = (p + (z * z) / (2 * n)) / scale
  const half = (z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / scale
  return {
    // At p = 0 and 1, centre ∓ half is exactly 0 or 1; rounding would leave ±10⁻¹⁸.
    lower: p === 0 ? 0 : Math.max(0, centre - half),
    upper: p === 1 ? 1 : Math.min(1, centre + half),
  }
}
