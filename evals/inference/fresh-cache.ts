/**
 * @file Extends a cache from JavaScript. onnxruntime-node copies every result, so returning whole caches for each token would
 * copy them. When a run adds one token per row, only that token's keys and values are returned, and written into the cache
 * here.
 */
import type { Graph } from '../graph/ops/index.ts'
import { multiply } from '../graph/shape.ts'
import type { Value } from '../graph/value.ts'
import type { CacheLayer, KeyValue } from '../models/architecture.ts'
import type { Feeds, Tensor } from '../runtime/tensor.ts'
import { int32, presentName } from './feeds.ts'

const PARTS = ['keys', 'values'] as const
type Part = (typeof PARTS)[number]
export const freshName = (layer: number, part: Part) => `fresh.${layer}.${part}`
export const freshIndexName = (kvHeads: number) => `fresh.rows.${kvHeads}`

/** Selects the requested tokens from each layer's caches `[batch, kvHeads, capacity, headDim]`, giving `[asked, headDim]`. */
export function freshOutputs(
  g: Graph,
  cache: readonly CacheLayer[],
  present: readonly KeyValue[],
): Record<string, Value> {
  const indices = new Map<number, Value>()
  const indexOf = (kvHeads: number): Value => {
    const known = indices.get(kvHeads)
    if (known) return known
    const index = g.input(freshIndexName(kvHeads), 'int32', [`fresh_${kvHeads}`])
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

interface FreshTokens {
  readonly feeds: Feeds
  /** Outputs to request: the token's keys and values, whole caches, or none. */
  readonly wanted: readonly string[]
  /** Writes the results into the caches. */
  store(results: Readonly<Record<string, Tensor>>): void
}

/** @param into the caches to extend, which `store` writes to; empty if they are not extended */
export function freshTokens(
  cache: readonly CacheLayer[],
  { tokens, last }: Feeds,
  into: Feeds,
): FreshTokens {
  const whole = Object.keys(into)
  const isOne = whole.length > 0 && tokens!.dims[1] === 1
  const targetOf = (layer: number, part: Part) => into[presentName(layer, part)]!
  const places = new Map<number, Int32Array>()
  for (const [layer, { kvHeads }] of cache.entries()) {
    if (places.has(kvHeads)) continue
    places.set(kvHeads, isOne ? placesIn(targetOf(layer, 'keys'), last!) : Int32Array.of(0))
  }
  return {
    feeds: Object.fromEntries(
      [...places].map(([heads, index]) => [freshIndexName(heads), int32(index)]),
    ),
    wanted: isOne
      ? cache.flatMap((_, layer) => PARTS.map((part) => freshName(layer, part)))
      : whole,
    store(results) {
      if (!isOne) return
      for (const [layer, { kvHeads, headDim }] of cache.entries())
        for (const part of PARTS) {
          const fresh = results[freshName(layer, part)]!.data as Float32Array
          const target = targetOf(layer, part).data as Float32Array
          places.get(kvHeads)!.forEach((place, i) => {
            target.set(fresh.subarray(i * headDim, (i + 1) * headDim), place * headDim)
          })
        }
    },
  }
}

/** Positions of the token at `last` of each row in a cache `[batch, kvHeads, capacity, headDim]`, head by head. */
function placesIn({ dims }: Tensor, { data: last }: Tensor): Int32Array {
  const [batch, kvHeads, capacity] = dims as [number, number, number]
  return Int32Array.from(
    { length: batch * kvHeads },
    (_, i) => i * capacity + Number(last[Math.floor(i / kvHeads)]),
  )
}
