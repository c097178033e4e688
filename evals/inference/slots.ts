/** @file A cache whose rows come and go. Active rows occupy the first slots, so that a run gets them as one block. */
import type { Feeds, Tensor } from '../runtime/tensor.ts'
import { emptyCache, freeCache, type CacheBuffers, type CachedSession } from './cached-graph.ts'
import type { CacheLayer } from '../models/architecture.ts'
import type { CacheData } from './small-cache.ts'

const FLOAT = Float32Array.BYTES_PER_ELEMENT

export interface Slots {
  /** Tokens per row. */
  readonly capacity: number
  /** Views of `count` rows from `first` on. */
  rows(first: number, count: number): CacheBuffers
  /** Copies the first of `rows`, `length` tokens of it, to row `to`. */
  fill(to: number, rows: CacheBuffers, length: number): void
  /** Copies the rows, `lengths` tokens of each, to slots of another capacity, and frees these. */
  moved(capacity: number, lengths: readonly number[]): Slots
  /** Frees the memory of all rows, whose views are then empty. */
  free(): void
}

export function openSlots(cache: CachedSession['cache'], count: number, capacity: number): Slots {
  const buffers = emptyCache(cache, count, capacity)
  const slots: Slots = {
    capacity,
    rows: (first, some) => ({
      past: rowsOf(buffers.past, first, some),
      present: rowsOf(buffers.present, first, some),
    }),
    fill(to, { past }, length) {
      for (const [name, each] of Object.entries(past))
        copyRow(each, buffers.past[name]!, to, length)
    },
    moved(other, lengths) {
      const target = openSlots(cache, count, other)
      lengths.forEach((length, row) => target.fill(row, slots.rows(row, 1), length))
      slots.free()
      return target
    },
    free: () => freeCache(buffers.past),
  }
  return slots
}

/** Bytes of one row's keys and values. */
export const rowBytes = (cache: CachedSession['cache'], capacity: number): number =>
  cache.reduce((sum, layer) => sum + 2 * layer.kvHeads * headBytes(layer), 0) * capacity

/** Of one token and head, with its scale. */
const headBytes = ({ headDim, kept }: CacheLayer): number =>
  kept === 'int8' ? headDim + FLOAT : (kept === 'float16' ? 2 : FLOAT) * headDim

/** Bytes of a batch's keys and values from which it has no more rows: the weights are then read for enough of them. */
const CACHE_BYTES = 256 * 2 ** 20
/** Rows that a batch may have whatever they take. */
export const LEAST_ROWS = 16

/** Rows of a run, at most so many. */
export const rowsWithin = (
  most: number,
  cache: CachedSession['cache'],
  capacity: number,
  bytes = CACHE_BYTES,
): number => Math.min(most, Math.max(LEAST_ROWS, Math.floor(bytes / rowBytes(cache, capacity))))

const rowsOf = (buffers: Feeds, first: number, count: number): Feeds =>
  Object.fromEntries(
    Object.entries(buffers).map(([name, { data, dims }]) => {
      const row = data.length / dims[0]!
      const part = (data as CacheData).subarray(first * row, (first + count) * row)
      return [name, { data: part, dims: dims.with(0, count) }]
    }),
  )

/** `[rows, kvHeads, capacity, headDim]`: the tokens of a head are contiguous. */
function copyRow(source: Tensor, target: Tensor, to: number, length: number): void {
  const [, kvHeads, held, headDim] = source.dims as [number, number, number, number]
  const room = target.dims[2]!
  const [read, write] = [source.data as CacheData, target.data as CacheData]
  for (let head = 0; head < kvHeads; head++) {
    const start = head * held * headDim
    const part = read.subarray(start, start + length * headDim)
    write.set(part, (to * kvHeads + head) * room * headDim)
  }
}
