/**
 * @file A place on the earth as a class: an encoding of longitude and latitude (`location/encodings.ts`), a network, a linear
 * head. Networks of Rußwurm et al. (ICLR 2024) and SatCLIP: none, residual ReLU blocks, or sines (SIREN, Sitzmann et al. 2020).
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import { multiply } from '../../graph/shape.ts'
import type { Value } from '../../graph/value.ts'
import type { ForwardInput, ModelArchitecture, ModelScope } from '../architecture.ts'
import { classesIn, classFields } from '../encoder-heads.ts'
import type { ModelFamily } from '../family.ts'
import { encode, ENCODING_NAMES, featuresOf, type Numbers } from '../location/encodings.ts'
import { NUMBER_UNIT } from '../text/number-tokenizer.ts'
import { createWeightList, type WeightList } from '../weight-list.ts'

export const PLACE_ENCODER = 'place-encoder'
export const PLACE_NETWORKS = ['siren', 'residual', 'linear'] as const

const config = z.looseObject({
  ...classFields,
  model_type: z.literal(PLACE_ENCODER),
  encoding: z.enum(ENCODING_NAMES),
  /** Of the spherical harmonics. */
  degrees: z.int().min(1).max(64).default(10),
  /** Of the multi-scale encodings. */
  scales: z.int().min(1).max(64).default(16),
  network: z.enum(PLACE_NETWORKS).default('siren'),
  hidden_size: z.int().min(1).max(4096).default(64),
  num_hidden_layers: z.int().min(1).max(64).default(2),
})
export type PlaceEncoderConfig = z.infer<typeof config>

/** A network between features and head. */
interface Network {
  /** Width of its output. */
  readonly width: (c: PlaceEncoderConfig, features: number) => number
  readonly weights: (list: WeightList, c: PlaceEncoderConfig, features: number) => void
  /** x `[rows, features]` → `[rows, width]`. */
  readonly apply: (scope: ModelScope, x: Value, c: PlaceEncoderConfig) => Value
}

const BLOCKS = 'network.layers'
const biased = (layer: number) => ({ biased: true, layer })
const layersIn = ({ num_hidden_layers: count }: PlaceEncoderConfig) =>
  Array.from({ length: count }, (_, i) => i)
const relu = (g: Graph, x: Value) => g.where(g.greaterOrEqual(x, g.scalar(0)), x, g.scalar(0))

/** Frequency of the first layer of sines; the others have 1. */
const FIRST_FREQUENCY = 30

/** sin(w₀(Wx + b)) in each layer. */
const siren: Network = {
  width: (c) => c.hidden_size,
  weights: (list, c, features) =>
    layersIn(c).forEach((layer) =>
      list.linear(
        `${BLOCKS}.${layer}.linear`,
        [c.hidden_size, layer === 0 ? features : c.hidden_size],
        biased(layer),
      ),
    ),
  apply: ({ g, linear }, x, c) =>
    layersIn(c).reduce((y, layer) => {
      const z = linear(`${BLOCKS}.${layer}.linear`, y)
      return g.sin(layer === 0 ? g.mul(z, g.scalar(FIRST_FREQUENCY)) : z)
    }, x),
}

/** relu(Wx + b), then x + relu(W₂·relu(W₁x + b₁) + b₂) in each block; without the published dropout. */
const residual: Network = {
  width: (c) => c.hidden_size,
  weights(list, c, features) {
    list.linear(`${BLOCKS}.0.input`, [c.hidden_size, features], biased(0))
    for (const layer of layersIn(c))
      for (const part of ['up', 'down'])
        list.linear(`${BLOCKS}.${layer}.${part}`, [c.hidden_size, c.hidden_size], biased(layer))
  },
  apply({ g, linear }, x, c) {
    const bent = (name: string, input: Value) => relu(g, linear(`${BLOCKS}.${name}`, input))
    return layersIn(c).reduce(
      (y, layer) => g.add(y, bent(`${layer}.down`, bent(`${layer}.up`, y))),
      bent('0.input', x),
    )
  },
}

/** The features go to the head as they are. */
const linearOnly: Network = {
  width: (_, features) => features,
  weights: () => undefined,
  apply: (_, x) => x,
}

const NETWORKS: Readonly<Record<(typeof PLACE_NETWORKS)[number], Network>> = {
  siren,
  residual,
  linear: linearOnly,
}

const sizeOf = ({ degrees, scales }: PlaceEncoderConfig) => ({ degrees, scales })
const HEAD = 'classifier'

/** Columns `[batch, 1]` of a graph as numbers, and constants `[]`. */
const columnsOf = ({ scalar, add, sub, mul, sin, cos }: Graph): Numbers<Value> => ({
  of: scalar,
  add,
  sub,
  mul,
  sin,
  cos,
})

/** tokens `[batch, seq]`, longitude and latitude first → features `[batch, features]`. */
function features(g: Graph, input: ForwardInput, c: PlaceEncoderConfig): Value {
  const { batch, positions } = input
  const numbers = g.mul(g.cast(input.tokens!, g.float), g.scalar(1 / NUMBER_UNIT))
  const column = (place: number) => {
    const isHere = g.equal(positions, g.constant([place], 'int32', []))
    return g.reduceSum(g.where(isHere, numbers, g.scalar(0)), [1], { keepDims: true })
  }
  const place = { lon: column(0), lat: column(1) }
  const zeros = g.filled([batch, 1], 0)
  // The first harmonic is a constant.
  const columns = encode(columnsOf(g), c.encoding, place, sizeOf(c)).map((feature) =>
    feature.shape.length === 0 ? g.add(feature, zeros) : feature,
  )
  return g.concat(columns, 1)
}

const architecture: ModelArchitecture<PlaceEncoderConfig> = {
  name: PLACE_ENCODER,
  kind: 'encoder',
  modelTypes: [PLACE_ENCODER],
  config,
  weights(c, found, path, missing) {
    const list = createWeightList(found, path, '', missing)
    const count = featuresOf(c.encoding, sizeOf(c))
    const network = NETWORKS[c.network]
    network.weights(list, c, count)
    list.linear(HEAD, [classesIn(c).length, network.width(c, count)], {
      biased: true,
      head: 'trained',
    })
    return list.specs()
  },
  /** One vector a place, at each of its positions. */
  forward(scope, input, c) {
    const { g } = scope
    const { batch, seq } = input
    const y = NETWORKS[c.network].apply(scope, features(g, input, c), c)
    const width = y.shape[1] as number
    const spread = g.add(g.reshape(y, [batch, 1, width]), g.filled([batch, seq, 1], 0))
    return { hiddenStates: g.reshape(spread, [multiply(batch, seq), width]), present: [] }
  },
  logits: ({ linear }, hidden) => linear(HEAD, hidden),
  attention: () => [],
  classifier: {
    className: 'PlaceEncoderForClassification',
    classes: (c) => classesIn(c),
    output: () => `${HEAD}.weight`,
    owns: (name) => name.startsWith(`${HEAD}.`),
  },
  maxPositions: () => 2,
}

export const placeEncoder: ModelFamily = { architecture }
