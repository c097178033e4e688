/**
 * @file A network that predicts the noise in a small picture, or in a point of a plane, given its noise level and a prompt:
 * the ε_θ(x_t, t, c) of a diffusion. `patches`: a transformer over patches of 2 × 2 pixels (Peebles and Xie, ICCV 2023) whose
 * blocks attend to the patches, then to the prompt (Rombach et al., CVPR 2022, §3.3). `points`: three layers.
 *
 * A row of numbers is x_t, then t, then the prompt.
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import { multiply } from '../../graph/shape.ts'
import type { Dim, Value } from '../../graph/value.ts'
import type { ForwardInput, ModelArchitecture, ModelScope } from '../architecture.ts'
import { classesIn, classFields } from '../encoder-heads.ts'
import type { ModelFamily } from '../family.ts'
import { NUMBER_UNIT } from '../text/number-tokenizer.ts'
import { createWeightList, type WeightList } from '../weight-list.ts'

export const DENOISER = 'denoiser'
const PATCH = 2

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

const layersIn = ({ num_hidden_layers: count }: DenoiserConfig) =>
  Array.from({ length: count }, (_, i) => i)

/** Sines and cosines of t at as many frequencies each, from 1 down to 10⁻⁴ (Vaswani et al. 2017, §3.5). */
const FREQUENCIES = 16
const SLOWEST = 1e-4

/** t `[batch, 1]` → `[batch, hidden]`. */
function timeEmbedding({ g, linear }: ModelScope, t: Value): Value {
  const speeds = Array.from({ length: FREQUENCIES }, (_, k) => SLOWEST ** (k / FREQUENCIES))
  const angles = g.mul(t, g.constant(speeds, g.float, [1, FREQUENCIES]))
  const features = g.concat([g.sin(angles), g.cos(angles)], 1)
  return linear('time.out', g.silu(linear('time.in', features)))
}

function timeWeights(list: WeightList, { hidden_size: width }: DenoiserConfig): void {
  list.linear('time.in', [width, 2 * FREQUENCIES], { biased: true })
  list.linear('time.out', [width, width], { biased: true })
}

const EPSILON = 1e-5
const normed = ({ g, weight }: ModelScope, name: string, x: Value) =>
  g.rmsNorm(x, weight(`${name}.weight`), EPSILON)

/** Pixels `[batch, side²]` → patches `[batch·n, 4]`, in reading order. */
function patchesOf(g: Graph, x: Value, batch: Dim, side: number): Value {
  const across = side / PATCH
  const split = g.reshape(x, [batch, across, PATCH, across, PATCH])
  return g.reshape(g.transpose(split, [0, 1, 3, 2, 4]), [multiply(batch, across ** 2), PATCH ** 2])
}

/** The inverse. */
function pixelsOf(g: Graph, patches: Value, batch: Dim, side: number): Value {
  const across = side / PATCH
  const split = g.reshape(patches, [batch, across, across, PATCH, PATCH])
  return g.reshape(g.transpose(split, [0, 1, 3, 2, 4]), [batch, side ** 2])
}

const SELF = ['q', 'k', 'v', 'o'].map((part) => `self_${part}`)
const CROSS = ['q', 'k', 'v', 'o'].map((part) => `cross_${part}`)
const NORMS = ['self_norm', 'cross_norm', 'mlp_norm']

const patches: Network = {
  weights(list, c) {
    const width = c.hidden_size
    list.linear('input', [width, PATCH ** 2], { biased: true })
    list.embedding('positions', [(c.side / PATCH) ** 2, width])
    list.embedding('prompt', [c.prompt_vocabulary, width])
    timeWeights(list, c)
    for (const layer of layersIn(c)) {
      const of = (part: string) => `blocks.${layer}.${part}`
      for (const norm of NORMS) list.norm(of(norm), width)
      for (const part of [...SELF, ...CROSS]) list.linear(of(part), [width, width], { layer })
      list.linear(of('up'), [4 * width, width], { biased: true, layer })
      list.linear(of('down'), [width, 4 * width], { biased: true, layer })
    }
    list.norm('norm', width)
    list.linear('output', [PATCH ** 2, width], { biased: true })
  },
  apply(scope, { x, t, prompt }, batch, c) {
    const { g, linear, weight } = scope
    const [count, width] = [(c.side / PATCH) ** 2, c.hidden_size]
    const rows = multiply(batch, count)
    const placed = (y: Value) => g.reshape(y, [batch, count, width])
    const begin = g.add(
      g.add(placed(linear('input', patchesOf(g, x, batch, c.side))), weight('positions.weight')),
      g.reshape(timeEmbedding(scope, t), [batch, 1, width]),
    )
    const words = scope.embedding('prompt', prompt)
    const end = layersIn(c).reduce(
      (y, layer) => block(scope, { y, words, batch, layer }, c),
      g.reshape(begin, [rows, width]),
    )
    return pixelsOf(g, linear('output', normed(scope, 'norm', end)), batch, c.side)
  },
}

interface BlockInput {
  /** `[batch·n, hidden]` */
  readonly y: Value
  /** `[batch·prompt, hidden]` */
  readonly words: Value
  readonly batch: Dim
  readonly layer: number
}

function block(scope: ModelScope, { y, words, batch, layer }: BlockInput, c: DenoiserConfig) {
  const { g } = scope
  const of = (part: string) => `blocks.${layer}.${part}`
  const linear = (part: string, x: Value) => scope.linear(of(part), x)
  const normal = (part: string, x: Value) => normed(scope, of(part), x)
  const mixed = (kind: 'self' | 'cross', x: Value, from: Value, keys: number) =>
    linear(
      `${kind}_o`,
      mix(g, c, batch, keys, {
        q: linear(`${kind}_q`, x),
        k: linear(`${kind}_k`, from),
        v: linear(`${kind}_v`, from),
      }),
    )
  const own = normal('self_norm', y)
  const seen = g.add(y, mixed('self', own, own, (c.side / PATCH) ** 2))
  const told = g.add(seen, mixed('cross', normal('cross_norm', seen), words, c.prompt_length))
  const up = g.silu(linear('up', normal('mlp_norm', told)))
  return scope.tap(of('output'), g.add(told, linear('down', up)))
}

/** Attention of patches over `keys` patches or words, all of which they see. */
function mix(
  g: Graph,
  c: DenoiserConfig,
  batch: Dim,
  keys: number,
  { q, k, v }: { readonly q: Value; readonly k: Value; readonly v: Value },
): Value {
  const [heads, count] = [c.num_attention_heads, (c.side / PATCH) ** 2]
  const layout = { batch, kvHeads: heads, headDim: c.hidden_size / heads }
  const from = { ...layout, seq: count, group: 1 }
  const over = { ...layout, seq: keys }
  const bias = g.filled([1, 1, 1, count, keys], 0)
  const scale = 1 / Math.sqrt(layout.headDim)
  const inputs = [
    g.splitHeads(q, from),
    g.splitHeads(k, over),
    g.splitHeads(v, over),
    bias,
  ] as const
  return g.joinHeads(g.attention(inputs, { scale }), from)
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

const NETWORKS: Readonly<Record<DenoiserConfig['network'], Network>> = { patches, points }

/** Columns of a row of numbers; its sequence has no known length. */
function rowOf(g: Graph, { tokens }: ForwardInput, c: DenoiserConfig): Row {
  const across = g.transpose(tokens!)
  const columns = (from: number, count: number) => {
    const places = Int32Array.from({ length: count }, (_, i) => from + i)
    return g.transpose(g.gatherRows(across, g.constant([...places], 'int32', [count])))
  }
  const numbers = (y: Value) => g.mul(g.cast(y, g.float), g.scalar(1 / NUMBER_UNIT))
  const size = sizeOf(c)
  return {
    x: numbers(columns(0, size)),
    t: numbers(columns(size, 1)),
    prompt: g.cast(numbers(columns(size + 1, c.prompt_length)), 'int32'),
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
  /** ε̂ at each position of a row. */
  forward(scope, input, c) {
    const { g } = scope
    const { batch, seq } = input
    const size = sizeOf(c)
    const noise = NETWORKS[c.network].apply(scope, rowOf(g, input, c), batch, c)
    const spread = g.add(g.reshape(noise, [batch, 1, size]), g.filled([batch, seq, 1], 0))
    return { hiddenStates: g.reshape(spread, [multiply(batch, seq), size]), present: [] }
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
