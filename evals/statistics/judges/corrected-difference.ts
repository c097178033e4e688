/**
 * @file A paired change corrected for the judge's errors: D = Δ/J, Δ = q₁ − q₂ as judged, J = Se + Sp − 1.
 *
 * q = π Se + (1 − π)(1 − Sp) = π J + 1 − Sp (Rogan and Gladen 1978). If the judge's errors are the same before and after, 1 −
 * Sp cancels and Δ = (π₁ − π₂) J. The interval contains every D for which 0 lies between the limits of Δ − D J, computed by
 * square-and-add from Δ's paired limits and J's (MOVER-R: Donner and Zou, Statistical Methods in Medical Research 21 (2012);
 * Newcombe, the same 25 (2016)), so it includes the labels' uncertainty. It is bounded only if J's lower limit is above 0.
 * Otherwise the correction is refused, and also where the whole interval lies outside [−1, 1].
 */
import {
  NO_LABELS,
  notToBeCorrected,
  youden,
  type Corrected,
  type Estimate,
  type JudgeQuality,
} from './rogan-gladen.ts'

/** `change` = before − after as judged, with its paired 95 % limits. The estimate and its limits lie in [−1, 1]. */
export function correctedDifference(change: Estimate, quality: JudgeQuality): Corrected {
  const spread = youden(quality)
  const reason = notToBeCorrected(spread)
  if (spread === null || reason !== undefined) {
    return { kind: 'refused', reason: reason ?? NO_LABELS, youden: spread }
  }
  const turned = { estimate: -change.estimate, lower: -change.upper, upper: -change.lower }
  const [lower, upper] = [lowerLimit(change, spread), 0 - lowerLimit(turned, spread)]
  if (lower > 1 || upper < -1) return { kind: 'refused', reason: TOO_LARGE, youden: spread }
  return {
    kind: 'corrected',
    estimate: within(change.estimate / spread.estimate),
    lower: within(lower),
    upper: within(upper),
    youden: spread,
  }
}

const TOO_LARGE =
  'the change as judged is larger than a judge with these errors can show: the labelled replies are not like the others'

const within = (difference: number) => Math.min(1, Math.max(-1, difference))

/**
 * The smallest D not excluded, where Δ − D J − √((Δ − l)² + D² e²) = 0: the lower root of (J² − e²) D² − 2ΔJ D + l(2Δ − l) = 0.
 * D has the sign of l; e is u_J − J for D ≥ 0 and J − l_J for D < 0, where −D J is positive.
 */
function lowerLimit({ estimate: Δ, lower: l }: Estimate, spread: Estimate): number {
  if (l === 0) return 0
  const J = spread.estimate
  const e = l > 0 ? spread.upper - J : J - spread.lower
  const [leading, last] = [J * J - e * e, l * (2 * Δ - l)]
  const root = Math.sqrt(Math.max(0, Δ * Δ * J * J - leading * last))
  // Of the two forms of the root, the one without cancellation; l > 0 implies Δ > 0, so `leading` may then be 0.
  return Δ >= 0 ? last / (Δ * J + root) : (Δ * J - root) / leading
}
