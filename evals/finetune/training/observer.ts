/** @file The outputs' inner products before a gradient is taken, for methods whose loss needs what no operator computes. */
import type { Dialect } from '../../graph/op.ts'
import { createGraph, type Graph } from '../../graph/ops/index.ts'
import type { ScopeOptions } from '../../models/scope.ts'
import { createRunner } from '../../runtime/session.ts'
import type { Feeds } from '../../runtime/tensor.ts'
import { storageFor } from './int8-forward.ts'
import { buildLoss } from './loss-graph.ts'
import type { Observed } from '../method.ts'
import type { PrepareOptions } from './prepare.ts'

interface Observer {
  look(feeds: Feeds): Promise<ReadonlyMap<string, Observed>>
  release(): Promise<void>
}

/** How a method claims the layers and weights of a training graph; a head that names classes learns with every method. */
export const scopeOptions = (
  g: Graph,
  { model, method, methodConfig, maxPositions, weights, forward }: PrepareOptions,
): ScopeOptions => ({
  maxPositions,
  storage: storageFor({ model, weights, forward }),
  attach: (site) => method.attach?.(g, site, methodConfig, 'train'),
  trainable: (name) =>
    method.trainable?.(name, methodConfig) ??
    (model.weights.get(name)?.head ? { learningRateScale: 1 } : undefined),
})

/** A forward of its own, where the method wants one; it is fed what the training graph is fed. */
export async function openObserver(
  options: PrepareOptions,
  dialect: Dialect,
): Promise<Observer | undefined> {
  const { model, method, methodConfig, device } = options
  const { observe } = method
  if (!observe?.wants(methodConfig)) return undefined
  const g = createGraph(dialect)
  const { logits } = buildLoss(g, model, scopeOptions(g, options))
  // In float64, for squares lose half of the digits.
  const wide = g.cast(logits, 'float64')
  const outputs = { gram: g.matMulT(wide, wide) }
  const runner = await createRunner(g, outputs, { device, purpose: 'train' })
  return {
    async look(feeds) {
      const { data, dims } = (await runner.run(feeds)).gram!
      return observe.look(data as Float64Array, dims[0]!, methodConfig)
    },
    release: () => runner.release(),
  }
}
