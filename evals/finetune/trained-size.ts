/** @file How many numbers a method trains of a model, without its weights. */
import { createGraph } from '../graph/ops/index.ts'
import { multiply } from '../graph/shape.ts'
import type { Model } from '../models/registry.ts'
import { createScope } from '../models/scope.ts'
import type { AnyMethod } from './method.ts'
import { isTrained } from './parameters.ts'

export function trainedNumbers(model: Model, method: AnyMethod, methodConfig: unknown): number {
  const g = createGraph()
  const scope = createScope(g, model.weights, {
    maxPositions: 1,
    attach: (site) => method.attach?.(g, site, methodConfig, 'train'),
    trainable: (name) => method.trainable?.(name, methodConfig),
  })
  for (const { name, kind } of model.weights.values()) {
    scope.weight(name)
    if (kind === 'linear') scope.adapter(name.slice(0, -'.weight'.length))
  }
  const sizes = g.parameters.filter(isTrained).map(({ shape }) => multiply(...shape) as number)
  return sizes.reduce((sum, size) => sum + size, 0)
}
