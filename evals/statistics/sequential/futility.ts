/**
 * @file The chance that a test which has not rejected yet still will at its last look (conditional power; Lan, Simon and Halperin,
 * Communications in Statistics C 1 (1982)). B(t) = z√t, drift θ; B(1) given B(t) is N(B(t) + θ(1 − t), 1 − t).
 */
import { normalLowerTail, normalQuantile } from '../normal.ts'

/** p-values nearer to 0 or 1 tell nothing more. */
const NEAREST = 1e-12
/** Standard errors by which the drift may be better than it was seen. */
const OPTIMISM = 1

/** With a drift a standard error better than was seen, so that a test is given up late rather than early. 0 at the last look. */
export function chanceToReject(p: number, fraction: number, lastLevel: number): number {
  const z = -normalQuantile(Math.min(1 - NEAREST, Math.max(NEAREST, p)))
  const rest = 1 - fraction
  if (rest <= 0) return 0
  const drift = (z + OPTIMISM) / Math.sqrt(fraction)
  const mean = z * Math.sqrt(fraction) + drift * rest
  return normalLowerTail((mean + normalQuantile(lastLevel)) / Math.sqrt(rest))
}
