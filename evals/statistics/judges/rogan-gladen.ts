/**
 * @file A rate corrected for its judge's errors: p = (q + Sp − 1)/(Se + Sp − 1), q the share that the judge labels positive.
 *
 * Rogan and Gladen, American Journal of Epidemiology 107 (1978). The interval includes the uncertainty of all three samples:
 * Lang and Reiczigel, Preventive Veterinary Medicine 113 (2014), adjusted counts and a delta variance. The correction is
 * refused if the interval of Youden's J = Se + Sp − 1 (Newcombe's score method for two samples) reaches 0.
 */
import { normalQuantile } from '../normal.ts'
import { wilsonShare, type Interval } from '../proportion.ts'
import { requireCounts, requireShare } from '../require.ts'

interface Tally {
  readonly successes: number
  readonly n: number
}

/** The judge compared with people: it found `successes` of `sensitivity.n` true positives, and likewise true negatives. */
export interface JudgeQuality {
  readonly sensitivity: Tally
  readonly specificity: Tally
}

export interface Estimate extends Interval {
  readonly estimate: number
}

/** The corrected estimate, or the reason why it is refused. */
export type Corrected =
  | ({ readonly kind: 'corrected'; readonly youden: Estimate } & Estimate)
  | { readonly kind: 'refused'; readonly reason: string; readonly youden: Estimate | null }

/** Se + Sp − 1 with its interval; null if either side has no labels. */
export function youden({ sensitivity, specificity }: JudgeQuality, confidence = 0.95) {
  for (const { successes, n } of [sensitivity, specificity]) {
    requireCounts({ successes, n, 'n − successes': n - successes })
  }
  if (sensitivity.n === 0 || specificity.n === 0) return null
  const z = normalQuantile(0.5 + confidence / 2)
  const se = wilsonShare(sensitivity.successes, sensitivity.n, z)
  const sp = wilsonShare(specificity.successes, specificity.n, z)
  const estimate = se.share + sp.share - 1
  return {
    estimate,
    lower: estimate - Math.hypot(se.share - se.lower, sp.share - sp.lower),
    upper: estimate + Math.hypot(se.upper - se.share, sp.upper - sp.share),
  }
}

/**
 * `found` counts the judge's positives; with dependent replies n need not be whole. The estimate and its interval lie in [0,
 * 1].
 */
export function correctedRate(found: Tally, quality: JudgeQuality, confidence = 0.95): Corrected {
  requireShare('confidence', confidence)
  const spread = youden(quality, confidence)
  const reason = found.n === 0 ? 'no reply was decided' : notToBeCorrected(spread)
  if (spread === null || reason !== undefined) {
    return { kind: 'refused', reason: reason ?? NO_LABELS, youden: spread }
  }
  const { successes, n } = quality.specificity
  const estimate = clip((found.successes / found.n + successes / n - 1) / spread.estimate)
  // An estimate clipped at 0 or 1 must stay inside its interval.
  const { lower, upper } = adjustedInterval(found, quality, normalQuantile(0.5 + confidence / 2))
  return {
    kind: 'corrected',
    estimate,
    lower: Math.min(lower, estimate),
    upper: Math.max(upper, estimate),
    youden: spread,
  }
}

export const NO_LABELS = 'the judge was not compared with people on both kinds of replies'

/** The reason why a judge with this J cannot be corrected for. */
export function notToBeCorrected(spread: Estimate | null): string | undefined {
  if (spread === null) return NO_LABELS
  if (spread.lower <= 0) {
    return `the interval of sensitivity + specificity − 1, ${spread.lower.toFixed(3)} to ${spread.upper.toFixed(3)}, reaches 0: the judge may be no better than chance`
  }
  return undefined
}

const clip = (share: number) => Math.min(1, Math.max(0, share))

/** Lang and Reiczigel's counts: z² observations added to the rate, two to Se and two to Sp. */
function adjustedInterval(
  found: Tally,
  { sensitivity, specificity }: JudgeQuality,
  z: number,
): { lower: number; upper: number } {
  const n = found.n + z * z
  const q = (found.successes + (z * z) / 2) / n
  const [nSe, nSp] = [sensitivity.n + 2, specificity.n + 2]
  const [se, sp] = [(sensitivity.successes + 1) / nSe, (specificity.successes + 1) / nSp]
  const j = se + sp - 1
  const p = (q + sp - 1) / j
  const [varSe, varSp] = [(se * (1 - se)) / nSe, (sp * (1 - sp)) / nSp]
  const centre = p + 2 * z * z * (p * varSe - (1 - p) * varSp)
  const variance = (q * (1 - q)) / n + p * p * varSe + (1 - p) * (1 - p) * varSp
  const half = (z * Math.sqrt(variance)) / j
  return { lower: clip(centre - half), upper: clip(centre + half) }
}
