/**
 * @file Operators of the addon's own (native/src/ort_operators.cc), for many requests of many adapters in one batch (S-LoRA,
 * section 5): they read adapters and caches where they lie in a pool's cells. Without the addon the same is computed by
 * gathering (inference/serving/paged-session.ts). Not differentiable.
 */
import type { GraphCore } from '../builder.ts'
import type { Op } from '../op.ts'
import type { Value } from '../value.ts'
import type { ScoreAttributes } from './attention.ts'

interface LowRankAttributes {
  readonly rank: number
  /** Numbers of a cell. */
  readonly width: number
  /** Where A begins in the key buffer and B in the value buffer, among the numbers of an adapter's cells. */
  readonly firstA: number
  readonly firstB: number
}

/**
 * y + x·A·B with each row's own A `[in, rank]` and B `[rank, out]`. y `[batch*seq, out]`, x `[batch*seq, in]`, key and value buffer,
 * cells int32 `[adapters, cells of one]`, and each row's place among the adapters, int32 `[batch]`, or -1.
 */
const AddLowRank: Op<LowRankAttributes> = {
  name: 'AddLowRank',
  infer: ([y]) => ({ outputs: [y!] }),
  emit: ({ e, inputs, attributes: { rank, width, firstA, firstB } }) => ({
    outputs: e.own('AddLowRank', inputs, { rank, width, first_a: firstA, first_b: firstB }),
  }),
  vjp: 'none',
}

interface PagedAttributes extends ScoreAttributes {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  /** How many tokens a token attends to, itself included. */
  readonly window?: number
}

/**
 * Attention of new tokens over a cache in cells, into which it writes their keys and values. q `[batch*seq, heads*d]`, k and v
 * `[batch*seq, kvHeads*d]`, key and value buffer, cells int32 `[batch, capacity]` token by token, each row's tokens in the cache
 * and new ones, int32 `[batch]`, and, to apply rotary positions inside, cos and sin `[positions, d/2]` → as q.
 */
const PagedAttention: Op<PagedAttributes> = {
  name: 'PagedAttention',
  infer: ([q]) => ({ outputs: [q!] }),
  emit: ({
    e,
    inputs,
    attributes: { heads, kvHeads, headDim, scale, softcap = 0, window = 0 },
  }) => ({
    outputs: e.own('PagedAttention', inputs, {
      ...{ heads, kv_heads: kvHeads, dim: headDim, window },
      ...{ scale: { float: scale }, softcap: { float: softcap } },
    }),
  }),
  vjp: 'none',
}

export const serving = (g: GraphCore) => ({
  addLowRank: (inputs: readonly Value[], attributes: LowRankAttributes) =>
    g.apply(AddLowRank, inputs, attributes)[0]!,
  pagedAttention: (inputs: readonly Value[], attributes: PagedAttributes) =>
    g.apply(PagedAttention, inputs, attributes)[0]!,
})
