/**
 * @file A change on the same prompts corrected for its judge's errors: D = Δ/J, Δ = q₁ − q₂ as judged, J = Se + Sp − 1.
 *
 * q = π Se + (1 − π)(1 − Sp) = π J + 1 − Sp (Rogan and Gladen 1978). Of a judge that errs alike before and after, 1 − Sp stands on
 * both sides and cancels: Δ = (π₁ − π₂) J. The interval holds every D for which 0 lies between the limits of Δ − D J, made by square and
 * add from Δ's own paired limits and J's (MOVER-R: Donner and Zou, Statistical Methods in Medical Research 21 (2012); Newcombe, the
 * same 25 (2016)), so it carries the labels' uncertainty. It is bounded just where J's lower limit is above 0; elsewhere it is refused.
 */
import {
  NO_LABELS,
  notToBeCorrected,
  youden,
  type Estimate,
  type JudgeQuality,
} from './rogan-gladen.ts'

export type CorrectedDifference =
  | ({ readonly kind: 'corrected'; readonly youden: Estimate } & Estimate)
  | { readonly kind: 'refused'; readonly reason: string; readonly youden: Estimate | null }

/** `change` = before − after as judged, with its paired 95 % limits. Estimate and limits lie in [−1, 1]. */
export function correctedDifference(change: Estimate, quality: JudgeQuality): CorrectedDifference {
  const spread = youden(quality)
  const reason = notToBeCorrected(spread)
  if (spread === null || reason !== undefined) {
    return { kind: 'refused', reason: reason ?? NO_LABELS, youden: spread }
  }
  const turned = { estimate: -change.estimate, lower: -change.upper, upper: -change.lower }
  return {
    kind: 'corrected',
    estimate: Math.min(1, Math.max(-1, change.estimate / spread.estimate)),
    lower: lowerLimit(change, spread),
    upper: 0 - lowerLimit(turned, spread),
    youden: spread,
  }
}

/** Enough halvings of [−1, 1] that what is left is rounding. */
const HALVINGS = 52

/**
 * The smallest D in [−1, 1] not excluded: where the lower limit of Δ − D J falls to 0, which it does as D grows. For D ≥ 0 it
 * is Δ − D J − √((Δ − l)² + D²(u_J − J)²); for D < 0, where −D J is positive, J's lower side takes the place of its upper.
 */
function lowerLimit(change: Estimate, spread: Estimate): number {
  const below = change.estimate - change.lower
  const isExcluded = (D: number) => {
    const side = D < 0 ? spread.estimate - spread.lower : spread.upper - spread.estimate
    return change.estimate - D * spread.estimate - Math.hypot(below, D * side) > 0
  }
  if (!isExcluded(-1)) return -1
  let [low, high] = [-1, 1]
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2
    if (isExcluded(middle)) low = middle
    else high = middle
  }
  return high
}
