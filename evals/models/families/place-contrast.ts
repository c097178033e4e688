/**
 * @file SatCLIP (Klemmer et al. 2023) without imagery: a place and the features of some places, each a vector of length 1, and one
 * temperature. Trained by InfoNCE over the places of a micro-batch; asked which of the features belong to the place.
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import { multiply } from '../../graph/shape.ts'
import type { Value } from '../../graph/value.ts'
import type { ForwardInput, ModelArchitecture, ModelScope } from '../architecture.ts'
import { classesIn, classFields } from '../encoder-heads.ts'
import type { ModelFamily } from '../family.ts'
import { listPlaceNetwork, PLACE_FIELDS, placeVector } from '../location/place-network.ts'
import { numberColumns } from '../number-columns.ts'
import { createWeightList } from '../weight-list.ts'

export const PLACE_CONTRAST = 'place-contrast'

const config = z.looseObject({
  ...classFields,
  model_type: z.literal(PLACE_CONTRAST),
  ...PLACE_FIELDS,
  /** Length of both vectors. */
  projection_dim: z.int().min(1).max(4096).default(32),
  /** Numbers that describe a place, and how many places a row describes: the classes. */
  feature_size: z.int().min(1).max(2048),
})
type Config = z.infer<typeof config>

const PLACE = 'place_projection'
const FEATURES = ['features.layers.0.linear', 'features.layers.1.linear'] as const
/** The logarithm of 1/temperature, `[1]`. */
const LOGIT_SCALE = 'logit_scale.weight'
const COORDINATES = 2

const candidatesIn = (c: Config) => classesIn(c).length

/** Of a row: the place, then the features. */
const numbersIn = (c: Config) => COORDINATES + candidatesIn(c) * c.feature_size

/** Rows of length 1. */
function unit(g: Graph, x: Value): Value {
  const squares = g.reduceSum(g.mul(x, x), [-1], { keepDims: true })
  return g.div(x, g.sqrt(g.add(squares, g.scalar(1e-12))))
}

/** tokens `[batch, seq]` → features of the candidates as vectors of length 1, `[batch, candidates·dim]`. */
function candidates({ g, linear }: ModelScope, { tokens, batch }: ForwardInput, c: Config): Value {
  const count = candidatesIn(c)
  const described = numberColumns(g, tokens!, COORDINATES, count * c.feature_size)
  const each = g.reshape(described, [multiply(batch, count), c.feature_size])
  const vectors = linear(FEATURES[1], g.relu(linear(FEATURES[0], each)))
  return g.reshape(unit(g, vectors), [batch, count * c.projection_dim])
}

/** Both parts of a state: `[rows, dim]` and `[rows, candidates, dim]`. */
function parts(g: Graph, hidden: Value, c: Config): { place: Value; described: Value } {
  const dim = c.projection_dim
  const count = candidatesIn(c)
  const described = g.slice(hidden, 1, dim, dim * (1 + count))
  return {
    place: g.slice(hidden, 1, 0, dim),
    described: g.reshape(described, [hidden.shape[0]!, count, dim]),
  }
}

/** e^t of the learnt t. */
const sharpness = ({ g, weight }: ModelScope) => g.exp(weight(LOGIT_SCALE))

/**
 * ½·Σ weight_i·(−log softmax of row i at i − log softmax of column i at i) of S `[n, n]` (Oord et al. 2018; CLIP, Radford et al.
 * 2021).
 */
export function infoNce(g: Graph, S: Value, rowWeights: Value): Value {
  const [n] = S.shape
  const counted = g.cumSum(g.filled([n!], 1), 0)
  const isOwn = g.equal(g.reshape(counted, [n!, 1]), g.reshape(counted, [1, n!]))
  const own = (x: Value) =>
    g.reduceSum(g.where(isOwn, g.logSoftmax(x), g.scalar(0)), [1], { keepDims: false })
  const both = g.mul(g.add(own(S), own(g.transpose(S))), rowWeights)
  return g.mul(g.reduceSum(both, [0], { keepDims: false }), g.scalar(-0.5))
}

const architecture: ModelArchitecture<Config> = {
  name: PLACE_CONTRAST,
  kind: 'encoder',
  modelTypes: [PLACE_CONTRAST],
  config,
  weights(c, found, path, missing) {
    const list = createWeightList(found, path, '', missing)
    const width = listPlaceNetwork(list, c)
    list.linear(PLACE, [c.projection_dim, width], { biased: true })
    list.linear(FEATURES[0], [c.hidden_size, c.feature_size], { biased: true, layer: 0 })
    list.linear(FEATURES[1], [c.projection_dim, c.hidden_size], { biased: true, layer: 1 })
    list.norm(LOGIT_SCALE.replace(/\.weight$/u, ''), 1)
    return list.specs()
  },
  states: 'rows',
  /** The vector of the place, then those of the candidates. */
  forward(scope, input, c) {
    const { g } = scope
    const network = placeVector(scope, input, c)
    const place = unit(g, scope.linear(PLACE, network))
    return { hiddenStates: g.concat([place, candidates(scope, input, c)], 1), present: [] }
  },
  /** e^t·cosine of the place with each candidate. */
  logits(scope, hidden, c) {
    const { g } = scope
    const { place, described } = parts(g, hidden, c)
    const one = g.reshape(place, [hidden.shape[0]!, 1, c.projection_dim])
    const cosines = g.reduceSum(g.mul(one, described), [2], { keepDims: false })
    return g.mul(cosines, sharpness(scope))
  },
  objective: {
    loss(scope, { hidden, labels, rowWeights }, c) {
      const { g } = scope
      const { place, described } = parts(g, hidden, c)
      const [n] = hidden.shape
      const count = candidatesIn(c)
      const places = g.constant(
        Array.from({ length: count }, (_, i) => i),
        'int32',
        [1, count],
      )
      const isTrue = g.reshape(g.equal(g.reshape(labels, [n!, 1]), places), [n!, count, 1])
      const own = g.reduceSum(g.where(isTrue, described, g.scalar(0)), [1], { keepDims: false })
      return infoNce(g, g.mul(g.matMulT(place, own), sharpness(scope)), rowWeights)
    },
  },
  attention: () => [],
  classifier: {
    className: 'PlaceContrastModel',
    classes: (c) => classesIn(c),
    output: () => `${PLACE}.weight`,
    owns: () => false,
  },
  maxPositions: numbersIn,
}

export const placeContrast: ModelFamily = { architecture }
