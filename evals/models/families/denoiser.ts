/**
 * @file A network that predicts the noise in a small picture, or in a point of a plane, given its noise level and a prompt:
 * the ε_θ(x_t, t, c) of a diffusion. `patches`: a transformer over patches of the picture. `points`: layers over a point.
 *
 * A row of numbers is x_t, then t, then the prompt.
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import type { Dim, Value } from '../../graph/value.ts'
import type { ForwardInput, ModelArchitecture, ModelScope } from '../architecture.ts'
import { patchNoise, patchWeights } from '../diffusion/patch-network.ts'
import { layersIn, timeEmbedding, timeWeights } from '../diffusion/time.ts'
import { classesIn, classFields } from '../encoder-heads.ts'
import type { ModelFamily } from '../family.ts'
import { numberColumns } from '../number-columns.ts'
import { createWeightList, type WeightList } from '../weight-list.ts'

export const DENOISER = 'denoiser'

const config = z.looseObject({
  ...classFields,
  model_type: z.literal(DENOISER),
  network: z.enum(['patches', 'points']),
  /** Pixels of a picture's side; of `points`, the dimensions. */
  side: z.int().min(2).max(64),
  prompt_length: z.int().min(1).max(16).default(1),
  prompt_vocabulary: z.int().min(2).max(4096),
  hidden_size: z.int().min(4).max(4096).default(64),
  num_hidden_layers: z.int().min(1).max(64).default(4),
  num_attention_heads: z.int().min(1).max(64).default(4),
})
export type DenoiserConfig = z.infer<typeof config>

/** Numbers of x. */
export const sizeOf = ({ network, side }: Pick<DenoiserConfig, 'network' | 'side'>): number =>
  network === 'patches' ? side ** 2 : side

/** What a row holds, as values of a graph. */
interface Row {
  /** `[batch, size]` */
  readonly x: Value
  /** `[batch, 1]` */
  readonly t: Value
  /** int32 `[batch, prompt]` */
  readonly prompt: Value
}

interface Network {
  readonly weights: (list: WeightList, c: DenoiserConfig) => void
  /** → ε̂ `[batch, size]`. */
  readonly apply: (scope: ModelScope, row: Row, batch: Dim, c: DenoiserConfig) => Value
}

/** Layers of SiLU over x, t and the sum of the prompt's words. */
const points: Network = {
  weights(list, c) {
    const width = c.hidden_size
    list.linear('input', [width, c.side], { biased: true })
    list.embedding('prompt', [c.prompt_vocabulary, width])
    timeWeights(list, c)
    for (const layer of layersIn(c))
      list.linear(`blocks.${layer}.linear`, [width, width], { biased: true, layer })
    list.linear('output', [c.side, width], { biased: true })
  },
  apply(scope, { x, t, prompt }, batch, c) {
    const { g, linear } = scope
    const words = g.reshape(scope.embedding('prompt', prompt), [
      batch,
      c.prompt_length,
      c.hidden_size,
    ])
    const told = g.add(timeEmbedding(scope, t), g.reduceSum(words, [1], { keepDims: false }))
    const end = layersIn(c).reduce(
      (y, layer) => g.add(y, g.silu(linear(`blocks.${layer}.linear`, g.add(y, told)))),
      linear('input', x),
    )
    return linear('output', end)
  },
}

const patches: Network = {
  weights: patchWeights,
  apply: (scope, { x, t, prompt }, batch, c) => patchNoise([{ scope, prompt }], { x, t, batch }, c),
}

const NETWORKS: Readonly<Record<DenoiserConfig['network'], Network>> = { patches, points }

function rowOf(g: Graph, { tokens }: ForwardInput, c: DenoiserConfig): Row {
  const size = sizeOf(c)
  return {
    x: numberColumns(g, tokens!, 0, size),
    t: numberColumns(g, tokens!, size, 1),
    prompt: g.cast(numberColumns(g, tokens!, size + 1, c.prompt_length), 'int32'),
  }
}

const architecture: ModelArchitecture<DenoiserConfig> = {
  name: DENOISER,
  kind: 'encoder',
  modelTypes: [DENOISER],
  config,
  weights(c, found, path, missing) {
    const list = createWeightList(found, path, '', missing)
    NETWORKS[c.network].weights(list, c)
    return list.specs()
  },
  states: 'rows',
  /** ε̂ */
  forward(scope, input, c) {
    const noise = NETWORKS[c.network].apply(scope, rowOf(scope.g, input, c), input.batch, c)
    return { hiddenStates: noise, present: [] }
  },
  logits: (_, hidden) => hidden,
  attention: () => [],
  classifier: {
    className: 'Denoiser',
    classes: (c) => classesIn(c),
    output: () => 'output.weight',
    owns: () => false,
  },
  objective: {
    targets: sizeOf,
    /** ‖ε̂ − ε‖²/size. */
    loss({ g }, { outputs, rowWeights, targets }, c) {
      const size = sizeOf(c)
      const off = g.sub(outputs, targets(size))
      const squares = g.reduceSum(g.mul(off, off), [1], { keepDims: false })
      return g.mul(
        g.reduceSum(g.mul(squares, rowWeights), [0], { keepDims: false }),
        g.scalar(1 / size),
      )
    },
  },
  maxPositions: (c) => sizeOf(c) + 1 + c.prompt_length,
}

export const denoiser: ModelFamily = { architecture }
