/** @file Sentence embedding: pools an encoder's hidden states into one vector per text. */
import type { Graph } from '../graph/ops/index.ts'
import { multiply } from '../graph/shape.ts'
import type { Dim, Value } from '../graph/value.ts'

interface PoolingInput {
  /** `[batch*seq, hidden]`. */
  readonly hiddenStates: Value
  /** int32 `[batch, seq]`: 0 for the text's tokens, negative for padding. */
  readonly segments: Value
  readonly batch: Dim
  readonly seq: Dim
}

/** Avoids division by zero. */
const SMALLEST = 1e-24

/**
 * e = m/‖m‖ with m the mean over a text's tokens, special ones included: `[batch, hidden]` (Reimers & Gurevych, 2019,
 * normalised as in their MiniLM models).
 */
export function meanPooled(g: Graph, { hiddenStates, segments, batch, seq }: PoolingInput): Value {
  const hidden = hiddenStates.shape[1]!
  const isOwn = g.greaterOrEqual(segments, g.constant([0], 'int32', []))
  const stands = g.where(isOwn, g.scalar(1), g.scalar(0))
  const kept = g.mul(hiddenStates, g.reshape(stands, [multiply(batch, seq), 1]))
  // The sum serves as the mean: normalisation cancels the count.
  const sum = g.reduceSum(g.reshape(kept, [batch, seq, hidden]), [1], { keepDims: false })
  const square = g.reduceSum(g.mul(sum, sum), [-1], { keepDims: true })
  return g.div(sum, g.sqrt(g.add(square, g.scalar(SMALLEST))))
}
