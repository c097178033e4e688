/**
 * @file A cache that is extended from JavaScript. onnxruntime-node copies every result, a cache given back whole on every
 * token with it; so where one token a row is written, only that token's keys and values are given back, and put in their
 * place here.
 */
import type { Graph } from '../graph/ops/index.ts'
import { multiply } from '../graph/shape.ts'
import type { Value } from '../graph/value.ts'
import type { CacheLayer, KeyValue } from '../models/architecture.ts'
import type { Feeds, Tensor } from '../runtime/session.ts'
import { int32 } from './feeds.ts'

const PARTS = ['keys', 'values'] as const
const freshName = (layer: number, part: (typeof PARTS)[number]) => `fresh.${layer}.${part}`
const indexName = (kvHeads: number) => `fresh.rows.${kvHeads}`

/** Of each layer's caches `[batch, kvHeads, capacity, headDim]` the tokens that are asked for, `[asked, headDim]`. */
export function freshOutputs(
  g: Graph,
  cache: readonly CacheLayer[],
  present: readonly KeyValue[],
): Record<string, Value> {
  const indices = new Map<number, Value>()
  const indexOf = (kvHeads: number): Value => {
    const known = indices.get(kvHeads)
    if (known) return known
    const index = g.input(indexName(kvHeads), 'int32', [`fresh_${kvHeads}`])
    indices.set(kvHeads, index)
    return index
  }
  return Object.fromEntries(
    cache.flatMap(({ kvHeads, headDim }, layer) =>
      PARTS.map((part) => {
        const tokens = multiply('batch', kvHeads, 'capacity')
        const flat = g.reshape(present[layer]![part], [tokens, headDim])
        return [freshName(layer, part), g.gatherRows(flat, indexOf(kvHeads))]
      }),
    ),
  )
}

export interface FreshTokens {
  readonly feeds: Feeds
  /** What to ask for in place of the caches; empty where they must be given back whole. */
  readonly wanted: readonly string[]
  /** Puts what was given back in its place in the caches. */
  store(results: Readonly<Record<string, Tensor>>): void
}

/** @param pastOf a layer's cache, which `store` writes to */
export function freshTokens(
  cache: readonly CacheLayer[],
  { tokens, last }: Feeds,
  pastOf: (layer: number, part: (typeof PARTS)[number]) => Tensor,
): FreshTokens {
  const isOne = tokens!.dims[1] === 1
  const places = new Map<number, Int32Array>()
  for (const [layer, { kvHeads }] of cache.entries()) {
    if (places.has(kvHeads)) continue
    const capacity = pastOf(layer, 'keys').dims[2]!
    const rows = isOne ? (last!.data as Int32Array) : Int32Array.of()
    const index = Array.from(rows, (at, row) =>
      Array.from({ length: kvHeads }, (_, head) => (row * kvHeads + head) * capacity + at),
    )
    places.set(kvHeads, Int32Array.from(isOne ? index.flat() : [0]))
  }
  return {
    feeds: Object.fromEntries(
      [...places].map(([heads, index]) => [indexName(heads), int32(index)]),
    ),
    wanted: isOne ? cache.flatMap((_, layer) => PARTS.map((part) => freshName(layer, part))) : [],
    store(results) {
      if (!isOne) return
      for (const [layer, { kvHeads, headDim }] of cache.entries())
        for (const part of PARTS) {
          const fresh = results[freshName(layer, part)]!.data as Float32Array
          const target = pastOf(layer, part).data as Float32Array
          places.get(kvHeads)!.forEach((place, i) => {
            target.set(fresh.subarray(i * headDim, (i + 1) * headDim), place * headDim)
          })
        }
    },
  }
}
