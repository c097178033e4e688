/**
 * @file Detects a loss rebound: a training loss that rises again after a fall, over the steps of one run (docs/methods/double-descent.md).
 *
 *     s = bias-corrected EMA(0.9) of the loss, its first 5 % dropped;   rb(t) = s(t) − min_{u ≤ t} s(u)
 *     t2 = argmax rb,   t1 = argmin_{u ≤ t2} s,   t3 = argmin_{u ≥ t2} s
 *     R = (s(t2) − s(t1)) / (s(first) − s(t1)),   recovery = (s(t2) − s(t3)) / (s(t2) − s(t1))
 *
 * It is one if R ≥ 0.10 and noise alone would rise as far with p ≤ 0.05 (`rebound-null.ts`).
 */
import { smoothed } from '../../statistics/smoothed.ts'
import { riseByChance } from './rebound-null.ts'

const DROPPED_SHARE = 0.05
/** A rebound is a rise by at least a tenth of the preceding fall. It has recovered when half of the rise is undone. */
const REBOUND = 0.1
const RECOVERED = 0.5
/** The greatest chance that noise alone rises as far, for a curve that is called a rebound. */
const ALPHA = 0.05
/** In shorter curves the noise cannot be told from the curve: no label. */
const FEWEST = 30

type ReboundLabel = 'none' | 'double_descent' | 'divergence'

/** `t1`, `t2`, `t3` and `notFinite` are indices of losses, from 0. */
interface Rebound {
  readonly label: ReboundLabel
  readonly isRebound: boolean
  /** R; infinite if the loss did not fall before it rose, null if a loss is not finite. */
  readonly rebound: number | null
  /** May exceed 1; null without a rise. */
  readonly recovery: number | null
  /** Index and smoothed loss of the lowest place before, the highest, and the lowest after; null without a rise. */
  readonly turns: Readonly<Record<'t1' | 't2' | 't3', Turn>> | null
  /** P(noise of this size alone rises as far); null where R < 0.10, or where there are too few losses to tell. */
  readonly p: number | null
  /** The first loss that is not finite. */
  readonly notFinite: number | null
}
interface Turn {
  readonly place: number
  readonly loss: number
}

const CALM: Rebound = {
  label: 'none',
  isRebound: false,
  rebound: 0,
  recovery: null,
  turns: null,
  p: null,
  notFinite: null,
}

/** `losses`: one training loss a step, in order. */
export function detectRebound(losses: readonly number[]): Rebound {
  const notFinite = losses.findIndex((loss) => !Number.isFinite(loss))
  if (notFinite >= 0) {
    return { ...CALM, label: 'divergence', isRebound: true, rebound: null, notFinite }
  }
  const { s, first, t1, t2, t3, most } = greatestRise(losses)
  if (most === 0) return CALM
  const at = (place: number): Turn => ({ place, loss: s[place]! })
  // Division by zero gives the intended infinity if the first value is the lowest.
  const rebound = most / (s[first]! - s[t1]!)
  const recovery = (s[t2]! - s[t3]!) / most
  const isCandidate = rebound >= REBOUND && losses.length >= FEWEST
  const p = isCandidate ? riseByChance(losses, (curve) => greatestRise(curve).most) : null
  const isRebound = p !== null && p <= ALPHA
  const label = !isRebound ? 'none' : recovery >= RECOVERED ? 'double_descent' : 'divergence'
  const turns = { t1: at(t1), t2: at(t2), t3: at(t3) }
  return { label, isRebound, rebound, recovery, turns, p, notFinite: null }
}

function greatestRise(losses: readonly number[]) {
  const s = smoothed(losses)
  const first = Math.floor(DROPPED_SHARE * losses.length)
  let [lowest, t1, t2, most] = [first, first, first, 0]
  for (let t = first; t < s.length; t++) {
    if (s[t]! < s[lowest]!) lowest = t
    const rise = s[t]! - s[lowest]!
    if (rise > most) [t1, t2, most] = [lowest, t, rise]
  }
  let t3 = t2
  for (let t = t2; t < s.length; t++) if (s[t]! < s[t3]!) t3 = t
  return { s, first, t1, t2, t3, most }
}
