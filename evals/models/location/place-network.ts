/**
 * @file What networks over places share: features of longitude and latitude in a graph, and the network over them: none, residual
 * ReLU blocks, or sines (SIREN, Sitzmann et al. 2020).
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import type { ForwardInput, ModelScope } from '../architecture.ts'
import { numberRows } from '../number-columns.ts'
import type { WeightList } from '../weight-list.ts'
import { encode, ENCODING_NAMES, featuresOf, type Features } from './encodings.ts'

export const PLACE_NETWORKS = ['siren', 'residual', 'linear'] as const

/** What a configuration says of the encoding and the network over it. */
export const PLACE_FIELDS = {
  encoding: z.enum(ENCODING_NAMES),
  /** Of the spherical harmonics. */
  degrees: z.int().min(1).max(64).default(10),
  /** Of the multi-scale encodings. */
  scales: z.int().min(1).max(64).default(16),
  network: z.enum(PLACE_NETWORKS).default('siren'),
  hidden_size: z.int().min(1).max(4096).default(64),
  num_hidden_layers: z.int().min(1).max(64).default(2),
}
type Fields = typeof PLACE_FIELDS
type PlaceNetworkConfig = { readonly [K in keyof Fields]: z.infer<Fields[K]> }

/** A network between features and head. */
interface Network {
  /** Width of its output. */
  readonly width: (c: PlaceNetworkConfig, features: number) => number
  readonly weights: (list: WeightList, c: PlaceNetworkConfig, features: number) => void
  /** x `[rows, features]` → `[rows, width]`. */
  readonly apply: (scope: ModelScope, x: Value, c: PlaceNetworkConfig) => Value
}

const BLOCKS = 'network.layers'
const biased = (layer: number) => ({ biased: true, layer })
const layersIn = ({ num_hidden_layers: count }: PlaceNetworkConfig) =>
  Array.from({ length: count }, (_, i) => i)

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
    const bent = (name: string, input: Value) => g.relu(linear(`${BLOCKS}.${name}`, input))
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

/** Lists the weights of the network over an encoding. @returns the width of its output */
export function listPlaceNetwork(list: WeightList, c: PlaceNetworkConfig): number {
  const features = featuresOf(c.encoding, sizeOf(c))
  const network = NETWORKS[c.network]
  network.weights(list, c, features)
  return network.width(c, features)
}

/** Longitude and latitude, the first two tokens of a row, through encoding and network → `[batch, width]`. */
export const placeVector = (scope: ModelScope, input: ForwardInput, c: PlaceNetworkConfig): Value =>
  NETWORKS[c.network].apply(scope, placeFeatures(scope.g, input, c), c)

const sizeOf = ({ degrees, scales }: PlaceNetworkConfig) => ({ degrees, scales })
/** Features `[count, batch]` of a graph. */
const featuresIn = (g: Graph): Features<Value> => ({
  of: (...values) => g.constant(values, g.float, [values.length, 1]),
  add: g.add,
  sub: g.sub,
  mul: g.mul,
  sin: g.sin,
  cos: g.cos,
  join: (parts) => g.concat(parts, 0),
  pick: (x, which) => g.gatherRows(x, g.constant(which, 'int32', [which.length])),
})

/** tokens `[batch, seq]`, longitude and latitude first → features `[batch, features]`. */
function placeFeatures(g: Graph, { tokens }: ForwardInput, c: PlaceNetworkConfig): Value {
  const place = { lon: numberRows(g, tokens!, 0, 1), lat: numberRows(g, tokens!, 1, 1) }
  return g.transpose(encode(featuresIn(g), c.encoding, place, sizeOf(c)))
}
