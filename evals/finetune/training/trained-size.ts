/** @file The parameters that a method declares on a model, without reading weights. */
import type { ParameterSpec } from '../../graph/builder.ts'
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

export function declaredParameters(
  base: Model,
  { attach, gate, trainable, cut }: Pick<BoundMethod, 'attach' | 'gate' | 'trainable' | 'cut'>,
): readonly ParameterSpec[] {
  const { model } = cut?.({ model: base }) ?? { model: base }
  const g = createGraph()
  const options = { maxPositions: 1, attach, gate, trainable, mode: 'train' } as const
  const scope = createScope(g, model.weights, options)
  const embedding = [...model.weights.values()].find(({ kind }) => kind === 'embedding')
  if (embedding) scope.gated?.open(g.input('hidden states', g.float, ['rows', embedding.shape[1]!]))
  for (const { name, kind } of model.weights.values()) {
    scope.weight(name)
    if (kind === 'linear') scope.adapter(name.slice(0, -'.weight'.length))
  }
  return g.parameters
}

export function trainedSize(model: Model, method: BoundMethod): TrainedSize {
  const trained = declaredParameters(model, method).filter(isTrained)
  return {
    trained: numbersOf(trained),
    ofBase: numbersOf(trained.filter(({ name }) => model.weights.has(name))),
  }
}

const numbersOf = (values: readonly Pick<Value, 'shape'>[]): number =>
  values.reduce((sum, { shape }) => sum + (multiply(...shape) as number), 0)
