/**
 * @file The constrained objective of Qi et al. 2024 (arXiv:2406.05946, §4.1, eq. 3), which holds the first tokens of a reply near the base:
 *
 *     L = −Σ_t 2/β_t · log σ(β_t·d_t),  d_t = log π(y_t) − log π_base(y_t),  ∂L/∂ log π(y_t) = −2·σ(−β_t·d_t)
 *
 * So its gradient is that of cross-entropy with each token weighted by 2·σ(−β_t·d_t): 1 where the two agree, towards 0 where
 * the fine-tune is far ahead. A larger β_t holds more firmly.
 */
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import type { LossInputs } from '../method.ts'

/** β of the first token, of the second to the fifth, and of all later ones (appendix of the paper). */
const PAPER_BETAS = { first: 0.5, early: 2, late: 0.1 } as const
const EARLY_TOKENS = 5

interface Constraint {
  /** Factor of β over the first five tokens. */
  readonly strength: number
  /** Whether every token has the mean β of the micro-batch in place of its own. */
  readonly isEven: boolean
}

/** A value whose gradient is that of L, weighted as the task's loss is. */
export function constrainedLoss(
  g: Graph,
  { outputs, labels, rowWeights, places, reference }: LossInputs,
  { strength, isEven }: Constraint,
): Value {
  const own = betas(g, places(), strength)
  const β = isEven ? evenly(g, own, rowWeights) : own
  const ahead = g.sub(g.labelLogProbs(outputs, labels), g.labelLogProbs(reference(), labels))
  const weight = g.mul(g.scalar(2), g.sigmoid(g.neg(g.mul(β, ahead))))
  return g.crossEntropy(outputs, labels, g.mul(rowWeights, weight))
}

function betas(g: Graph, places: Value, strength: number): Value {
  const place = g.cast(places, g.float)
  const { first, early, late } = PAPER_BETAS
  const isAfter = (count: number) => g.greaterOrEqual(place, g.scalar(count))
  const start = g.where(isAfter(1), g.scalar(strength * early), g.scalar(strength * first))
  return g.where(isAfter(EARLY_TOKENS), g.scalar(late), start)
}

/** The mean over labelled tokens, whose weights are equal. */
function evenly(g: Graph, β: Value, rowWeights: Value): Value {
  const sum = (x: Value) => g.reduceSum(x, [0], { keepDims: false })
  return g.div(sum(g.mul(β, rowWeights)), sum(rowWeights))
}
