/** @file How many pieces the loss of a wide head is computed in, to limit the memory of its logits. */
import { createGraph } from '../../graph/ops/index.ts'
import { elementsOf } from '../../models/weights/stored-weights.ts'
import { isEncoder, type Model } from '../../models/registry.ts'
import { createScope } from '../../models/scope.ts'
import type { BoundMethod } from '../method.ts'
import { isTrained } from './parameters.ts'

/** Largest size of one piece's float32 logits: below it, little is saved compared with a block's activations. */
export const PIECE_BYTES = 24 * 2 ** 20
const FLOAT = 4

/**
 * Returns 1 if the loss needs all rows at once: a trained head for its gradient (an encoder's always is), a method's own loss for
 * its logits.
 *
 * @param labelled rows of a micro-batch that reach the head, on average
 */
export function lossPieces(model: Model, method: BoundMethod, labelled: number): number {
  if (method.loss || model.graph || isEncoder(model)) return 1
  const { width, isHeadTrained } = headOf(model, method)
  return isHeadTrained ? 1 : Math.max(1, Math.ceil((FLOAT * labelled * width) / PIECE_BYTES))
}

/** The head's outputs per row, and whether it is trained, from a graph of the head only. */
function headOf({ architecture, config, weights }: Model, method: BoundMethod) {
  const g = createGraph()
  const { attach, trainable } = method
  const scope = createScope(g, weights, { maxPositions: 1, attach, trainable, mode: 'train' })
  const hidden = [...weights.values()].find(({ kind }) => kind === 'embedding')!.shape[1]!
  const logits = architecture.logits(scope, g.input('hidden', g.float, ['rows', hidden]), config)
  return {
    width: elementsOf(logits.shape.slice(1) as number[]),
    isHeadTrained: g.parameters.some(isTrained),
  }
}
