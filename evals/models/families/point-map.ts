/**
 * @file A point map (Lu et al. 2024, DUSt3R's output): a pixel's ray, a cue of its depth and its gloss → a point in the camera's
 * frame, metres, and the logarithm of a confidence. A network of linear layers and ReLUs.
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import type { ModelArchitecture } from '../architecture.ts'
import type { ModelFamily } from '../family.ts'
import { numberColumns } from '../number-columns.ts'
import { createWeightList } from '../weight-list.ts'

export const POINT_MAP = 'point-map'
/** Numbers of a pixel: ray u and v, depth cue, gloss. */
const PIXEL_NUMBERS = 4
/** Of its target: the point, the weight of a pseudo-label or 0, the logarithm of a taught confidence. */
const TARGET_NUMBERS = 5
const OUTPUTS = 4
const POINT = 3

const config = z.looseObject({
  model_type: z.literal(POINT_MAP),
  architectures: z.array(z.string()).nullish(),
  hidden_size: z.int().min(1).max(4096).default(128),
  num_hidden_layers: z.int().min(1).max(64).default(3),
  /** Metres by which a pseudo-label's distance is divided: the size of a scene. */
  scene_scale: z.number().positive().default(1),
  /** α of the confidence's reward. */
  confidence_weight: z.number().min(0).default(0.2),
})
type Config = z.infer<typeof config>

const HEAD = 'head'
const nameOf = (layer: number) => `layers.${layer}.linear`
const layersIn = ({ num_hidden_layers: count }: Config) =>
  Array.from({ length: count }, (_, i) => i)
const flat = (g: Graph, x: Value) => g.reshape(x, [x.shape[0]!])

/** ‖x‖ of each row, `[rows]`; differentiable at 0. */
const length = (g: Graph, x: Value) =>
  g.sqrt(g.add(g.reduceSum(g.mul(x, x), [1], { keepDims: false }), g.scalar(1e-8)))

const architecture: ModelArchitecture<Config> = {
  name: POINT_MAP,
  kind: 'encoder',
  modelTypes: [POINT_MAP],
  config,
  weights(c, found, path, missing) {
    const list = createWeightList(found, path, '', missing)
    for (const layer of layersIn(c)) {
      const inputs = layer === 0 ? PIXEL_NUMBERS : c.hidden_size
      list.linear(nameOf(layer), [c.hidden_size, inputs], { biased: true, layer })
    }
    list.linear(HEAD, [OUTPUTS, c.hidden_size], { biased: true })
    return list.specs()
  },
  states: 'rows',
  forward({ g, linear }, { tokens }, c) {
    const pixel = numberColumns(g, tokens!, 0, PIXEL_NUMBERS)
    const state = layersIn(c).reduce((x, layer) => g.relu(linear(nameOf(layer), x)), pixel)
    return { hiddenStates: state, present: [] }
  },
  logits: ({ linear }, hidden) => linear(HEAD, hidden),
  objective: {
    targets: () => TARGET_NUMBERS,
    /**
     * A taught row, of weight 0: ‖X − X̃‖ + (log C − log C̃)². A pseudo-label of weight w: w·(C·ℓ − α·log C), ℓ = ‖X − X̃‖/scale
     * (Lu et al. 2024, §3.3; Wang et al. 2024, DUSt3R, eq. 4).
     */
    loss({ g }, { outputs, rowWeights, targets }, c) {
      const target = targets(TARGET_NUMBERS)
      const column = (x: Value, at: number) => flat(g, g.slice(x, 1, at, at + 1))
      const apart = length(g, g.sub(g.slice(outputs, 1, 0, POINT), g.slice(target, 1, 0, POINT)))
      const logC = column(outputs, POINT)
      const weight = column(target, POINT)
      const unsure = g.sub(logC, column(target, POINT + 1))
      const taught = g.add(apart, g.mul(unsure, unsure))
      const ℓ = g.mul(apart, g.scalar(1 / c.scene_scale))
      const reward = g.mul(logC, g.scalar(c.confidence_weight))
      const selfTaught = g.mul(weight, g.sub(g.mul(g.exp(logC), ℓ), reward))
      const isTaught = g.equal(weight, g.scalar(0))
      const each = g.mul(g.where(isTaught, taught, selfTaught), rowWeights)
      return g.reduceSum(each, [0], { keepDims: false })
    },
  },
  attention: () => [],
  classifier: {
    className: 'PointMapModel',
    classes: () => [],
    output: () => `${HEAD}.weight`,
    owns: () => false,
  },
  maxPositions: () => PIXEL_NUMBERS,
}

export const pointMap: ModelFamily = { architecture }
