/** @file Counts the trained parameters of a method on a model, without reading weights. */
import { createGraph } from '../../graph/ops/index.ts'
import { multiply } from '../../graph/shape.ts'
import type { Value } from '../../graph/value.ts'
import type { Model } from '../../models/registry.ts'
import { createScope } from '../../models/scope.ts'
import type { BoundMethod } from '../method.ts'
import { isTrained } from './parameters.ts'

interface TrainedSize {
  readonly trained: number
  /** Trained weights of the model itself. */
  readonly ofBase: number
}

export function trainedSize(model: Model, { attach, trainable }: BoundMethod): TrainedSize {
  const g = createGraph()
  const scope = createScope(g, model.weights, { maxPositions: 1, attach, trainable, mode: 'train' })
  for (const { name, kind } of model.weights.values()) {
    scope.weight(name)
    if (kind === 'linear') scope.adapter(name.slice(0, -'.weight'.length))
  }
  const trained = g.parameters.filter(isTrained)
  return {
    trained: numbersOf(trained),
    ofBase: numbersOf(trained.filter(({ name }) => model.weights.has(name))),
  }
}

const numbersOf = (values: readonly Pick<Value, 'shape'>[]): number =>
  values.reduce((sum, { shape }) => sum + (multiply(...shape) as number), 0)
