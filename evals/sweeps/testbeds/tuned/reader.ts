/**
 * @file A network that reads 8 × 8 digits, as the engine's methods take a model: y = max(0, W₀x + b₀), h = max(0, W₁y + b₁),
 * logits W₂h + b₂. Methods of adapters adapt W₁ `[width, width]`; its rank is their capacity.
 */
import { z } from 'zod'
import type { ModelArchitecture, WeightSpec } from '../../../models/architecture.ts'
import { numberColumns } from '../../../models/number-columns.ts'
import type { Model } from '../../../models/registry.ts'
import { randomStream } from '../../../statistics/random.ts'
import { CLASSES, PIXELS } from '../digits/rows.ts'

/** The matrix that adapters change. */
export const ADAPTED = 'hidden.weight'

const config = z.object({ width: z.int().min(1) })

const architecture: ModelArchitecture<z.infer<typeof config>> = {
  name: 'digit-reader',
  kind: 'encoder',
  modelTypes: [],
  config,
  weights: ({ width }) => specsOf(width),
  /** Pixels in units of 2⁻²⁰ as tokens int32 `[batch, 64]` → one state a row, `[batch, width]`. */
  forward({ g, linear }, { tokens }) {
    const first = g.relu(linear('input', numberColumns(g, tokens!, 0, PIXELS)))
    return { hiddenStates: g.relu(linear('hidden', first)), present: [] }
  },
  logits: ({ linear }, hidden) => linear('head', hidden),
  attention: () => [],
  maxPositions: () => PIXELS,
}

const specsOf = (width: number): WeightSpec[] => {
  const layer = (name: string, outputs: number, inputs: number, place = {}): WeightSpec[] => [
    { name: `${name}.weight`, shape: [outputs, inputs], kind: 'linear', ...place },
    { name: `${name}.bias`, shape: [outputs], kind: 'bias' },
  ]
  return [
    ...layer('input', width, PIXELS),
    ...layer('hidden', width, width, { layer: 0, module: 'hidden' }),
    ...layer('head', CLASSES, width),
  ]
}

export const digitReader = (width: number): Model => ({
  architecture,
  config: { width },
  weights: new Map(specsOf(width).map((spec) => [spec.name, spec])),
})

/** He et al. 2015: W ~ N(0, 2 / inputs of the layer); biases 0. */
export const startingWeights = ({ weights }: Model, seed: number): Map<string, Float32Array> =>
  new Map(
    [...weights.values()].map(({ name, shape }) => {
      const data = new Float32Array(shape.reduce((product, size) => product * size, 1))
      const [, inputs] = shape
      if (inputs === undefined) return [name, data]
      const stream = randomStream(seed, `digit reader ${name}`)
      return [name, data.map(() => stream.normal() * Math.sqrt(2 / inputs))]
    }),
  )
