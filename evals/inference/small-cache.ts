/**
 * @file A cache of keys and values in fewer bits (graph/ops/small-cache.ts). A run gives back what it adds, as it is to be kept,
 * and it is written into the buffers here; each layer reads its own as floats and frees them again.
 */
import type { Graph } from '../graph/ops/index.ts'
import type { SmallCache } from '../graph/ops/small-cache.ts'
import type { CacheLayer, KeyValue } from '../models/architecture.ts'
import type { Value } from '../graph/value.ts'
import type { Feeds, Tensor } from '../runtime/tensor.ts'
import { pastName, presentName, scalesOf } from './feeds.ts'
import { freshName } from './fresh-cache.ts'

/** What a cache is kept in. */
export type CacheData = Float32Array | Float16Array | Int8Array

const PARTS = ['keys', 'values'] as const

export const ARRAYS = { float16: Float16Array, int8: Int8Array } as const

/** A model's cache, kept so. */
export const keptCache = (
  cache: readonly CacheLayer[],
  kept: SmallCache | undefined,
): readonly CacheLayer[] => (kept ? cache.map((layer) => ({ ...layer, kept })) : cache)

/** The arrays of a layer's keys or values: `numbers` of them, and the scales of int8. */
export function cacheArrays(kept: SmallCache | undefined, numbers: number, tokens: number) {
  const data: CacheData = kept ? new ARRAYS[kept](numbers) : new Float32Array(numbers)
  return { data, scales: kept === 'int8' ? new Float32Array(tokens) : undefined }
}

/** A layer's past as a graph declares it. */
export function pastInput(g: Graph, layer: number, { kvHeads, headDim, kept }: CacheLayer) {
  const input = (name: string, dtype: Value['dtype'], width: number) =>
    g.input(name, dtype, ['batch', kvHeads, 'capacity', width])
  const both = (make: (name: string) => Value) => ({
    keys: make(pastName(layer, 'keys')),
    values: make(pastName(layer, 'values')),
  })
  const past: KeyValue = both((name) => input(name, kept ?? g.float, headDim))
  const scales = kept === 'int8' && both((name) => input(scalesOf(name), g.float, 1))
  return scales ? { ...past, scales } : past
}

/** What is added to each layer, `[batch, kvHeads, seq, headDim]`. */
export const addedOutputs = (present: readonly KeyValue[]): Record<string, Value> =>
  Object.fromEntries(
    present.flatMap(({ scales, ...parts }, layer) =>
      PARTS.flatMap((part) => {
        const name = freshName(layer, part)
        const own = [name, parts[part]] as const
        return scales ? [own, [scalesOf(name), scales[part]] as const] : [own]
      }),
    ),
  )

export const addedNames = (cache: readonly CacheLayer[]): string[] =>
  cache.flatMap(({ kept }, layer) =>
    PARTS.flatMap((part) => {
      const name = freshName(layer, part)
      return kept === 'int8' ? [name, scalesOf(name)] : [name]
    }),
  )

/** Arrays of our own for what a run adds: the addon gives no new ones of these types. */
export function addedInto(cache: readonly CacheLayer[], { tokens }: Feeds): Feeds {
  const [batch, seq] = tokens!.dims as [number, number]
  const added: Record<string, Tensor> = {}
  for (const [layer, { kvHeads, headDim, kept }] of cache.entries())
    for (const part of PARTS) {
      const count = batch * kvHeads * seq
      const { data, scales } = cacheArrays(kept, count * headDim, count)
      const dims = [batch, kvHeads, seq]
      added[freshName(layer, part)] = { data, dims: [...dims, headDim] }
      if (scales) added[scalesOf(freshName(layer, part))] = { data: scales, dims: [...dims, 1] }
    }
  return added
}

/** Writes what a run added behind what each row had before it. */
export function storeAdded(
  cache: readonly CacheLayer[],
  { tokens, last, total }: Feeds,
  into: Feeds,
  results: Readonly<Record<string, Tensor>>,
): void {
  const seq = tokens!.dims[1]!
  const isPrompt = Number(total!.data[0]) === seq
  const starts = Array.from(last!.data as Int32Array, (at) => (isPrompt ? 0 : at + 1 - seq))
  for (const layer of cache.keys())
    for (const part of PARTS) {
      const [fresh, target] = [freshName(layer, part), presentName(layer, part)]
      insert(results[fresh]!, into[target]!, starts)
      const scales = into[scalesOf(target)]
      if (scales) insert(results[scalesOf(fresh)]!, scales, starts)
    }
}

/** `[batch, kvHeads, seq, d]` into `[batch, kvHeads, capacity, d]`, of each row from token `starts` on. */
function insert(source: Tensor, target: Tensor, starts: readonly number[]): void {
  const [batch, kvHeads, seq, width] = source.dims as [number, number, number, number]
  const room = target.dims[2]!
  const [read, write] = [source.data as CacheData, target.data as CacheData]
  for (let row = 0; row < batch; row++)
    for (let head = row * kvHeads; head < (row + 1) * kvHeads; head++) {
      const some = read.subarray(head * seq * width, (head + 1) * seq * width)
      write.set(some, (head * room + starts[row]!) * width)
    }
}
