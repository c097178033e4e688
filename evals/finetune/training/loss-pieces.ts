/** @file Into how many pieces of rows the loss of a wide head is cut, so that its logits take little memory. */
import { createGraph } from '../../graph/ops/index.ts'
import { elementsOf } from '../../models/weights/stored-weights.ts'
import type { Model } from '../../models/registry.ts'
import { createScope } from '../../models/scope.ts'
import type { AnyMethod } from '../method.ts'
import { isTrained } from './parameters.ts'

/** Of one piece's logits in float32: what a smaller piece would save is little beside a block's activations. */
export const PIECE_BYTES = 24 * 2 ** 20
const FLOAT = 4

/**
 * 1 where pieces would not do: a head that is trained needs its own gradient of all rows, and a loss of a method's own the
 * logits of all rows.
 *
 * @param labelled rows of a micro-batch that a head sees, on average
 */
export function lossPieces(
  model: Model,
  method: AnyMethod,
  methodConfig: unknown,
  labelled: number,
): number {
  if (method.loss || method.observe || model.graph) return 1
  const { width, isHeadTrained } = headOf(model, method, methodConfig)
  return isHeadTrained ? 1 : Math.max(1, Math.ceil((FLOAT * labelled * width) / PIECE_BYTES))
}

/** How many numbers the head gives a row, and whether any of its own learn: looked at in a graph of the head alone. */
function headOf(
  { architecture, config, weights }: Model,
  method: AnyMethod,
  methodConfig: unknown,
) {
  const g = createGraph()
  const scope = createScope(g, weights, {
    maxPositions: 1,
    attach: (site) => method.attach?.(g, site, methodConfig, 'train'),
    trainable: (name) => method.trainable?.(name, methodConfig),
  })
  const hidden = [...weights.values()].find(({ kind }) => kind === 'embedding')!.shape[1]!
  const logits = architecture.logits(scope, g.input('hidden', g.float, ['rows', hidden]), config)
  return {
    width: elementsOf(logits.shape.slice(1) as number[]),
    isHeadTrained: g.parameters.some(isTrained),
  }
}
