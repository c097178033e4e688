/**
 * @file α-spending functions: how much of α may be spent by information fraction t (Lan and DeMets, Biometrika 70 (1983)).
 *
 *     obrien-fleming   2 − 2Φ(z/√t), z = Φ⁻¹(1 − α/2)      pocock   α ln(1 + (e − 1)t)      curtailment   0 before t = 1
 *     linear           αt (Kim and DeMets, Biometrika 74 (1987)), in which β is spent by futility
 */
import { normalLowerTail, normalQuantile } from '../normal.ts'
import { requireShare } from '../require.ts'

export type Spending = 'curtailment' | 'obrien-fleming' | 'pocock' | 'linear'

const SPENDING: Readonly<Record<Spending, (t: number, alpha: number) => number>> = {
  curtailment: () => 0,
  'obrien-fleming': (t, alpha) => 2 * normalLowerTail(normalQuantile(alpha / 2) / Math.sqrt(t)),
  pocock: (t, alpha) => alpha * Math.log1p((Math.E - 1) * t),
  linear: (t, alpha) => alpha * t,
}

/** What may be spent by each of the ascending `fractions`; all of α at 1. */
export function spentBy(spending: Spending, fractions: readonly number[], alpha: number): number[] {
  requireShare('alpha', alpha)
  return fractions.map((t) => (t >= 1 ? alpha : SPENDING[spending](t, alpha)))
}
