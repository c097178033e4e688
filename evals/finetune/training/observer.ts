/** @file Inner products of the outputs before a gradient is computed, for losses that need values that no operator computes. */
import type { Dialect } from '../../graph/op.ts'
import { createGraph } from '../../graph/ops/index.ts'
import type { ScopeOptions } from '../../models/scope.ts'
import { createRunner } from '../../runtime/session.ts'
import type { Feeds } from '../../runtime/tensor.ts'
import { storageFor } from './int8-forward.ts'
import { buildLoss } from './loss-graph.ts'
import type { Observed } from '../method.ts'
import type { PrepareOptions } from './prepare.ts'

export interface Observer {
  look(feeds: Feeds): Promise<ReadonlyMap<string, Observed>>
  release(): Promise<void>
}

/** The method's adapters and trained weights in a training graph; a classification head is trained with every method. */
export const scopeOptions = ({
  model,
  method,
  maxPositions,
  oneText,
  weights,
  forward,
}: PrepareOptions): ScopeOptions => ({
  maxPositions,
  oneText,
  storage: storageFor({ model, weights, forward }),
  attach: method.attach,
  gate: method.gate,
  mode: 'train',
  trainable: (name) =>
    method.trainable?.(name) ??
    (model.weights.get(name)?.head ? { learningRateScale: 1 } : undefined),
})

/** A forward pass with the inputs of the training graph, if the method observes its outputs. */
export async function openObserver(
  options: PrepareOptions,
  dialect: Dialect,
): Promise<Observer | undefined> {
  const { model, method, device } = options
  if (!method.observe) return undefined
  const g = createGraph(dialect)
  const { logits } = buildLoss(g, model, scopeOptions(options))
  // In float64, because squaring halves the number of correct digits.
  const wide = g.cast(logits, 'float64')
  const outputs = { gram: g.matMulT(wide, wide) }
  const runner = await createRunner(g, outputs, { device, purpose: 'train' })
  return {
    async look(feeds) {
      const { data, dims } = (await runner.run(feeds)).gram!
      return method.observe!(data as Float64Array, dims[0]!)
    },
    release: () => runner.release(),
  }
}
