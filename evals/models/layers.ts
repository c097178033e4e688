/** @file Attention under any plan, and its masks. */
import type { ScoreAttributes } from '../graph/ops/attention.ts'
import type { Graph } from '../graph/ops/index.ts'
import type { SmallCache } from '../graph/ops/small-cache.ts'
import { multiply } from '../graph/shape.ts'
import type { Dim, Value } from '../graph/value.ts'
import type { AttentionPlan, CacheLayer, ForwardInput, KeyValue } from './architecture.ts'
import type { QueryKeyValue } from './parts.ts'
import type { Rotary } from './rotary-tables.ts'

/** Added to masked scores: exp(score + this) is 0 in float32 and float64. */
const MASKED = -1e9

/**
 * Attention bias: 0 for visible positions, a large negative number for masked ones; `[batch, 1, 1, seq, seq]`, or `[batch,
 * 1, 1, seq, total]` with a past. Padding is at the end, where a causal mask hides it; with a past it is in the mask, and
 * under bidirectional attention it is a segment of its own.
 */
export function attentionBias(
  g: Graph,
  { attention, positions, batch, seq }: ForwardInput,
  window?: number,
): Value {
  const asQuery = (x: Value) => g.reshape(x, [batch, 1, 1, seq, 1])
  const asKey = (x: Value) => g.reshape(x, [batch, 1, 1, 1, x.shape[1]!])
  const whole = (value: number) => g.constant([value], 'int32', [])
  const together = (segments: Value) => g.equal(asQuery(segments), asKey(segments))
  const biasOf = (visible: Value) => g.where(visible, g.scalar(0), g.scalar(MASKED))
  if (attention.kind === 'bidirectional')
    return attention.segments
      ? biasOf(together(attention.segments))
      : g.filled([batch, 1, 1, seq, seq], 0)
  // Positions count from the first unmasked token.
  const places =
    attention.kind === 'appended' ? g.sub(g.cumSum(attention.mask, 1), whole(1)) : positions
  const near = (visible: Value): Value => {
    if (window === undefined) return visible
    const oldest = g.sub(positions, whole(window - 1))
    return g.and(visible, g.greaterOrEqual(asKey(places), asQuery(oldest)))
  }
  const causal = near(g.greaterOrEqual(asQuery(positions), asKey(places)))
  const visible =
    attention.kind === 'packed'
      ? g.and(causal, together(attention.segments))
      : attention.kind === 'appended'
        ? g.and(causal, g.equal(asKey(attention.mask), whole(1)))
        : causal
  return biasOf(visible)
}

interface AttentionLayer extends CacheLayer {
  /** Undefined with learned positions, or in layers without positions. */
  readonly rotary: Rotary | undefined
  /** From `attentionBias`, or its blocks (`causalBlocks`); empty with a cache, in cells or not. */
  readonly bias: readonly Value[]
  readonly scale?: number
  readonly softcap?: number
  /** Tokens of a row that `q` holds, with bias for each; all if absent. */
  readonly queries?: Dim
  /** Only with a cache; otherwise the bias includes it. */
  readonly window: number | undefined
}

/** Self-attention of layer `index`: q, k, v `[batch*seq, heads*headDim]`, before rotary positions. */
export function attend(
  g: Graph,
  { q, k, v }: QueryKeyValue,
  { attention, batch, seq }: ForwardInput,
  { heads, kvHeads, headDim, rotary, bias, scale, softcap, queries = seq, window }: AttentionLayer,
  index: number,
): { output: Value; present?: KeyValue } {
  const scaled = { scale: scale ?? 1 / Math.sqrt(headDim), ...(softcap && { softcap }) }
  // Nothing that is shipped was trained on an encoder, so its bits may rest on the processor.
  const form = attention.kind === 'bidirectional' && ({ softmax: 'whole' } as const)
  const attributes = { heads, kvHeads, headDim, batch, seq, ...scaled, ...form }
  const turn = (x: Value, count: number) =>
    rotary ? g.rotary(x, rotary.rows, rotary.tables, { heads: count, headDim, batch, seq }) : x
  const windowed = { ...attributes, ...(window !== undefined && { window }) }
  if (attention.kind === 'cached' && isSmall(g, attention.past[index]!))
    return attendKept(g, [turn(q, heads), turn(k, kvHeads), v], attention, windowed, index)
  if (attention.kind === 'cached' || attention.kind === 'paged') {
    const { keys: pastKeys, values: pastValues } = attention.past[index]!
    // The fused kernel rotates only whole heads of a multiple of 16 numbers, by position tables.
    const inside =
      rotary?.isByPosition === true &&
      headDim % 16 === 0 &&
      rotary.tables.cos.shape[1] === headDim / 2
    const turned = inside ? [q, k] : [turn(q, heads), turn(k, kvHeads)]
    const tables = inside ? [rotary.tables.cos, rotary.tables.sin] : []
    const given = [...turned, v, pastKeys, pastValues]
    if (attention.kind === 'paged') {
      const { cells, from, count } = attention
      return { output: g.pagedAttention([...given, cells, from, count, ...tables], windowed) }
    }
    const { last, total } = attention
    const { output, keys, values } = g.cachedAttention([...given, last, total, ...tables], windowed)
    return { output, present: { keys, values } }
  }
  const turned = { q: turn(q, heads), k: turn(k, kvHeads), v }
  if (attention.kind === 'appended')
    return attendAppended(g, turned, attention.past[index]!, bias[0]!, attributes)
  return { output: attended(g, turned, bias, { ...attributes, queries }) }
}

const isSmall = (g: Graph, { keys }: KeyValue): boolean => keys.dtype !== g.float

type Cached = Extract<AttentionPlan, { kind: 'cached' }>

/** Over a cache in fewer bits. The present is what the cache is to be extended by, `[batch, kvHeads, seq, headDim]`. */
function attendKept(
  g: Graph,
  [q, k, v]: readonly [Value, Value, Value],
  { past, last, total }: Cached,
  attributes: Parameters<Graph['cachedAttention']>[1],
  index: number,
): { output: Value; present: KeyValue } {
  const { keys, values, scales } = past[index]!
  const storage = keys.dtype as SmallCache
  const keep = (x: Value) => g.keepHeads(x, { ...attributes, storage })
  const own = { keys: keep(k), values: keep(v) }
  const read = (part: Value, scale: Value | undefined) =>
    g.readHeads(scale ? [part, scale] : [part], total, k)
  const given = [q, own.keys.value, own.values.value]
  const before = [read(keys, scales?.keys), read(values, scales?.values)]
  const unread = { ...attributes, isPresentUnread: true }
  const { output } = g.cachedAttention([...given, ...before, last, total], unread)
  const [[keptKeys, keyScales], [keptValues, valueScales]] = [own.keys.parts, own.values.parts]
  const fresh = { keys: keptKeys!, values: keptValues! }
  const parts = scales && { scales: { keys: keyScales!, values: valueScales! } }
  return { output, present: { ...fresh, ...parts } }
}

/** Shorter rows are fast as a whole, and each block adds nodes. */
const BLOCK_TOKENS = 128
/** At most the tokens per row of any batch, so that no block is empty. */
export const MOST_BLOCKS = 8

/** Number of query blocks for rows of at most `longest` tokens. */
export const queryBlocks = (longest: number): number =>
  Math.min(MOST_BLOCKS, Math.max(1, Math.floor(longest / BLOCK_TOKENS)))

/** Where every token sees all others: the narrower a block, the nearer its scores stay to the processor. */
export const evenBlocks = (longest: number): number =>
  longest < 2 * BLOCK_TOKENS ? 1 : MOST_BLOCKS

/** The bias per block of queries, `[.., seq/count, keys]`. */
export const blocksOf = (g: Graph, bias: Value, count: number): Value[] =>
  Array.from({ length: count }, (_, i) => g.piece(bias, 3, [i, i + 1], count))

/**
 * The same over keys up to the block's end: later keys are masked for the whole block. This holds for packed texts too, whose
 * tokens are in order.
 */
export const causalBlocks = (g: Graph, bias: Value, count: number): Value[] =>
  blocksOf(g, bias, count).map((own, i) => g.piece(own, 4, [0, i + 1], count))

interface AttentionAttributes extends ScoreAttributes, CacheLayer {
  readonly batch: Dim
  readonly seq: Dim
  readonly queries?: Dim
}

/**
 * Attention of q `[batch*queries, heads*d]` over k, v `[batch*seq, kvHeads*d]` → as q; query head j reads key/value head
 * ⌊j·kvHeads/heads⌋. Each block of queries reads the keys that its bias is for: all, or those up to its own end.
 */
export function attended(
  g: Graph,
  { q, k, v }: QueryKeyValue,
  bias: readonly Value[],
  { heads, kvHeads, headDim, batch, seq, queries = seq, ...scores }: AttentionAttributes,
): Value {
  const layout = { batch, seq, kvHeads, headDim }
  const grouped = { ...layout, seq: queries, group: heads / kvHeads }
  const Q = g.splitHeads(q, grouped)
  const [K, V] = [g.splitHeads(k, layout), g.splitHeads(v, layout)]
  const count = bias.length
  const blocks = bias.map((own, i) => {
    const isWhole = own.shape[4] === K.shape[2]
    const read = (x: Value) => (isWhole ? x : g.piece(x, 2, [0, i + 1], count))
    return g.attention([g.piece(Q, 3, [i, i + 1], count), read(K), read(V), own], scores)
  })
  return g.joinHeads(g.joined(blocks, 3, queries), grouped)
}

/**
 * O = softmax(scale·Q·Kᵀ + bias)·V over past and new keys, in primitives; q, k, v with positions applied, bias `[batch, 1,
 * 1, seq, total]`. Queries of a group are stacked: `[batch, kvHeads, group*seq, headDim]`.
 */
function attendAppended(
  g: Graph,
  { q, k, v }: QueryKeyValue,
  past: KeyValue,
  bias: Value,
  { batch, seq, heads, kvHeads, headDim, scale, softcap }: AttentionAttributes,
): { output: Value; present: KeyValue } {
  const total = bias.shape[4]!
  const group = heads / kvHeads
  const byHead = (x: Value, count: number) =>
    g.transpose(g.reshape(x, [batch, seq, count, headDim]), [0, 2, 1, 3])
  const keys = g.append(past.keys, byHead(k, kvHeads), 2, total)
  const values = g.append(past.values, byHead(v, kvHeads), 2, total)
  const below = [batch, kvHeads, multiply(group, seq)] as const
  const queries = g.mul(g.reshape(byHead(q, heads), [...below, headDim]), g.scalar(scale))
  const raw = g.matMulT(queries, keys)
  const score =
    softcap === undefined
      ? raw
      : g.mul(g.tanh(g.mul(raw, g.scalar(1 / softcap))), g.scalar(softcap))
  const wide = g.reshape(score, [batch, kvHeads, group, seq, total])
  const shares = g.reshape(g.softmax(g.add(wide, bias)), [...below, total])
  const mixed = g.reshape(g.matMul(shares, values), [batch, heads, seq, headDim])
  const output = g.reshape(g.transpose(mixed, [0, 2, 1, 3]), [
    multiply(batch, seq),
    heads * headDim,
  ])
  return { output, present: { keys, values } }
}
