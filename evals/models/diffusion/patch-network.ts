/**
 * @file A transformer over patches of 2 × 2 pixels (Peebles and Xie, ICCV 2023) whose blocks attend to the patches, then to the
 * prompt (Rombach et al., CVPR 2022, §3.3).
 *
 * A picture may be of several regions, each with weights and a prompt of its own (LoRA-Composer, Yang et al. 2024, "concept
 * injection"): every layer is computed by each region, and a patch takes what its regions say, in equal shares.
 */
import type { Graph } from '../../graph/ops/index.ts'
import { multiply } from '../../graph/shape.ts'
import type { Dim, Value } from '../../graph/value.ts'
import type { ModelScope } from '../architecture.ts'
import type { WeightList } from '../weight-list.ts'
import { layersIn, timeEmbedding, timeWeights } from './time.ts'

export const PATCH = 2

export interface PatchShape {
  /** Pixels of a picture's side. */
  readonly side: number
  readonly prompt_length: number
  readonly prompt_vocabulary: number
  readonly hidden_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
}

export const patchesIn = ({ side }: Pick<PatchShape, 'side'>): number => (side / PATCH) ** 2

const SELF = ['q', 'k', 'v', 'o'].map((part) => `self_${part}`)
const CROSS = ['q', 'k', 'v', 'o'].map((part) => `cross_${part}`)
const NORMS = ['self_norm', 'cross_norm', 'mlp_norm']

export function patchWeights(list: WeightList, c: PatchShape): void {
  const width = c.hidden_size
  list.linear('input', [width, PATCH ** 2], { biased: true })
  list.embedding('positions', [patchesIn(c), width])
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
}

export interface PatchRegion {
  readonly scope: ModelScope
  /** int32 `[batch, prompt]` */
  readonly prompt: Value
  /** Share of each patch, `[batch·n, 1]`; shares of all regions sum to 1. The whole picture if absent. */
  readonly share?: Value
}

/** Attention as it was computed, in each block. */
export interface SeenAttention {
  /** Added to the scores between patches, `[batch, 1, n, n]`. */
  readonly bias: Value
  /** Between patches, `[batch, heads, n, n]`. */
  readonly self: Value[]
  /** Of patches to a region's words, `[batch, heads, n, prompt]`, by region. */
  readonly cross: Value[][]
}

interface Picture {
  /** `[batch, side²]` */
  readonly x: Value
  /** `[batch, 1]` */
  readonly t: Value
  readonly batch: Dim
}

/** → ε̂ `[batch, side²]`. @param seen filled with attention where it is wanted */
export function patchNoise(
  regions: readonly PatchRegion[],
  { x, t, batch }: Picture,
  c: PatchShape,
  seen?: SeenAttention,
): Value {
  const { g } = regions[0]!.scope
  const [count, width] = [patchesIn(c), c.hidden_size]
  const rows = multiply(batch, count)
  const placed = (y: Value) => g.reshape(y, [batch, count, width])
  const patches = patchesOf(g, x, batch, c.side)
  const begin = mixed(g, regions, ({ scope }) => {
    const own = g.add(placed(scope.linear('input', patches)), scope.weight('positions.weight'))
    const level = g.reshape(timeEmbedding(scope, t), [batch, 1, width])
    return g.reshape(g.add(own, level), [rows, width])
  })
  const words = regions.map(({ scope, prompt }) => scope.embedding('prompt', prompt))
  const end = layersIn(c).reduce(
    (y, layer) => block({ g, regions, words, batch, layer, c, seen }, y),
    begin,
  )
  const told = mixed(g, regions, ({ scope }) => scope.linear('output', normed(scope, 'norm', end)))
  return pixelsOf(g, told, batch, c.side)
}

/** Σ share·f(region). */
function mixed(
  g: Graph,
  regions: readonly PatchRegion[],
  f: (region: PatchRegion, index: number) => Value,
): Value {
  const parts = regions.map((region, i) => {
    const own = f(region, i)
    return region.share ? g.mul(own, region.share) : own
  })
  return parts.reduce((sum, part) => g.add(sum, part))
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

interface Block {
  readonly g: Graph
  readonly regions: readonly PatchRegion[]
  /** `[batch·prompt, hidden]` of each region. */
  readonly words: readonly Value[]
  readonly batch: Dim
  readonly layer: number
  readonly c: PatchShape
  readonly seen: SeenAttention | undefined
}

/** y `[batch·n, hidden]` → the same. */
function block(of: Block, y: Value): Value {
  const { g, regions, words, layer, c, seen } = of
  const name = (part: string) => `blocks.${layer}.${part}`
  const each = (f: Parameters<typeof mixed>[2]) => mixed(g, regions, f)
  const linear = (part: string, x: Value) => each(({ scope }) => scope.linear(name(part), x))
  const norm = (part: string, x: Value) => each(({ scope }) => normed(scope, name(part), x))
  const own = norm('self_norm', y)
  const self = { q: linear('self_q', own), k: linear('self_k', own), v: linear('self_v', own) }
  const beside = attended(of, self, patchesIn(c), seen && { into: seen.self, bias: seen.bias })
  const near = g.add(y, linear('self_o', beside))
  const asked = norm('cross_norm', near)
  const told = each(({ scope }, i) => {
    const part = (letter: string, x: Value) => scope.linear(name(`cross_${letter}`), x)
    const cross = { q: part('q', asked), k: part('k', words[i]!), v: part('v', words[i]!) }
    return part('o', attended(of, cross, c.prompt_length, seen && { into: seen.cross[i]! }))
  })
  const after = g.add(near, told)
  const up = g.silu(linear('up', norm('mlp_norm', after)))
  return regions[0]!.scope.tap(name('output'), g.add(after, linear('down', up)))
}

interface Kept {
  readonly into: Value[]
  readonly bias?: Value
}

/** Attention of patches over `keys` patches or words, all of which they see. */
function attended(
  { g, batch, c }: Block,
  { q, k, v }: Readonly<Record<'q' | 'k' | 'v', Value>>,
  keys: number,
  kept: Kept | undefined,
): Value {
  const [heads, count] = [c.num_attention_heads, patchesIn(c)]
  const layout = { batch, kvHeads: heads, headDim: c.hidden_size / heads }
  const from = { ...layout, seq: count, group: 1 }
  const over = { ...layout, seq: keys }
  const scale = 1 / Math.sqrt(layout.headDim)
  const [Q, K, V] = [g.splitHeads(q, from), g.splitHeads(k, over), g.splitHeads(v, over)]
  if (!kept) return g.joinHeads(g.attention([Q, K, V], { scale, softmax: 'whole' }), from)
  const queries = g.reshape(Q, [batch, heads, count, layout.headDim])
  const scores = g.mul(g.matMulT(queries, K), g.scalar(scale))
  const P = g.softmax(kept.bias ? g.add(scores, kept.bias) : scores)
  kept.into.push(P)
  return g.joinHeads(g.reshape(g.matMul(P, V), [batch, heads, 1, count, layout.headDim]), from)
}
