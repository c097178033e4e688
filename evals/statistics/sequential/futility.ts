/**
 * @file When to stop undecided. By the chance that a test which has not rejected yet still will at its last look (conditional power;
 * Lan, Simon and Halperin, Communications in Statistics C 1 (1982)): B(t) = z√t, drift θ; B(1) given B(t) is
 * N(B(t) + θ(1 − t), 1 − t). And by β-spending (Pampallona, Tsiatis and Kim, Drug Information Journal 35 (2001)): a test is given up
 * where the harm for which its power is wanted is itself rejected, at levels that spend β over the looks, so that giving up costs
 * at most β of that power. Neither changes the level of the test, whose bounds do not count on it.
 */
import { normalLowerTail, normalQuantile } from '../normal.ts'
import { levelAt, type Look } from './look.ts'

/** Harms, in margins, at which giving up may cost power: of a PASS, and of a FAIL. */
export const GIVEN_UP_AT = { pass: 0.5, fail: 2 } as const

/** What p of the harm for which power is wanted must not exceed at this look, for the test to be given up; 0: never. */
export const givingUpLevel = (look: Look, beta: number): number =>
  beta > 0 ? levelAt({ ...look, spending: 'linear' }, beta) : 0

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
