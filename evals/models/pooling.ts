/** @file One state a row of an encoder: those that heads read, and sentence embeddings. */
import type { Graph } from '../graph/ops/index.ts'
import { multiply } from '../graph/shape.ts'
import type { Dim, Value } from '../graph/value.ts'
import type { ForwardInput, ModelArchitecture } from './architecture.ts'
import type { Model } from './registry.ts'
import { forwardPass, type createScope } from './scope.ts'

type OfStates = Pick<ModelArchitecture, 'states'>

/**
 * States of the tokens at `rows`, int32 `[count]`; where rows have one state each, that.
 *
 * @param oneText each row of the batch is one text, and `rows` holds its first token
 */
export function statesAt(
  scope: ReturnType<typeof createScope>,
  model: Model,
  input: ForwardInput,
  { rows, oneText }: { readonly rows: Value; readonly oneText: boolean },
): Value {
  const { states } = model.architecture
  // A gate reads every token.
  const isFirst = states === 'first' && oneText && !scope.gated
  const { hiddenStates } = forwardPass(scope, model, isFirst ? { ...input, asked: rows } : input)
  return isFirst || states === 'rows' ? hiddenStates : scope.g.gatherRows(hiddenStates, rows)
}

interface PoolingInput {
  /** `[batch*seq, hidden]`, or `[batch, hidden]` where rows have one state each. */
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
export function meanPooled({ states }: OfStates, g: Graph, input: PoolingInput): Value {
  const sum = states === 'rows' ? input.hiddenStates : summed(g, input)
  const square = g.reduceSum(g.mul(sum, sum), [-1], { keepDims: true })
  return g.div(sum, g.sqrt(g.add(square, g.scalar(SMALLEST))))
}

/** The sum serves as the mean: normalisation cancels the count. */
function summed(g: Graph, { hiddenStates, segments, batch, seq }: PoolingInput): Value {
  const hidden = hiddenStates.shape[1]!
  const isOwn = g.greaterOrEqual(segments, g.constant([0], 'int32', []))
  const stands = g.where(isOwn, g.scalar(1), g.scalar(0))
  const kept = g.mul(hiddenStates, g.reshape(stands, [multiply(batch, seq), 1]))
  return g.reduceSum(g.reshape(kept, [batch, seq, hidden]), [1], { keepDims: false })
}
