/**
 * @file PPI++: a mean from few labels and many predictions (Angelopoulos, Duchi and Zrnic, arXiv:2311.01453 (2023)).
 *
 * θ̂ = mean w(Y − λf) over the n labelled + λ mean f over N others that are like them, or over all where
 * the labelled were drawn unevenly and are weighted; λ = Cov(wY, wf)/((1 + n/N) Var f) within [0, 1]. The
 * interval is the normal one, with Var w(Y − λf)/n + λ² Var f/N: it is too short where the labels hold fewer than about ten
 * errors (docs/evidence.md), so that nothing is decided by it.
 */
import { normalQuantile } from '../normal.ts'
import { requireShare } from '../require.ts'
import { meanOf } from '../summary.ts'
import type { Estimate } from './rogan-gladen.ts'

export interface LabelledValue {
  readonly truth: number
  readonly predicted: number
  /** Proportional to the number of values that this one was drawn from. */
  readonly weight: number
}

interface PredictionPowered extends Estimate {
  readonly lambda: number
}

/** Null with fewer than two labelled values, or no other. */
export function predictionPoweredMean(
  labelled: readonly LabelledValue[],
  others: readonly number[],
  confidence = 0.95,
): PredictionPowered | null {
  requireShare('confidence', confidence)
  const [n, N] = [labelled.length, others.length]
  if (n < 2 || N < 1) return null
  const whole = labelled.reduce((sum, { weight }) => sum + weight, 0) / n
  const rows = labelled.map(({ weight, ...row }) => ({ ...row, weight: weight / whole }))
  const rectified = (lambda: number) =>
    rows.map(({ truth, predicted, weight }) => weight * (truth - lambda * predicted))
  // The gradients are taken at the estimate without tuning, λ = 1.
  const untuned = meanOf(others) + meanOf(rectified(1))
  const lambda = tuned(
    rows.map(({ truth, weight }) => weight * (truth - untuned)),
    rows.map(({ predicted, weight }) => weight * (predicted - untuned)),
    others.map((predicted) => predicted - untuned),
  )
  const values = rectified(lambda)
  const estimate = lambda * meanOf(others) + meanOf(values)
  const half =
    normalQuantile(0.5 + confidence / 2) *
    Math.sqrt((lambda * lambda * variance(others)) / N + variance(values) / n)
  return { estimate, lower: estimate - half, upper: estimate + half, lambda }
}

function tuned(truths: readonly number[], predicted: readonly number[], others: readonly number[]) {
  const [one, two] = [meanOf(truths), meanOf(predicted)]
  const covariance = meanOf(truths.map((truth, i) => (truth - one) * (predicted[i]! - two)))
  const all = [...predicted, ...others]
  const spread = (variance(all) * all.length) / (all.length - 1)
  if (spread === 0) return 0
  const lambda = covariance / ((1 + truths.length / others.length) * spread)
  return Math.min(1, Math.max(0, lambda))
}

/** Mean squared deviation. */
function variance(values: readonly number[]): number {
  const mean = meanOf(values)
  return meanOf(values.map((value) => (value - mean) ** 2))
}
