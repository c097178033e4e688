/** @file A cache of rows that come and go: who writes stands in front, so that a run sees its rows side by side. */
import type { Feeds, Tensor } from '../runtime/tensor.ts'
import { emptyCache, type CacheBuffers, type CachedSession } from './cached-graph.ts'

export interface Slots {
  /** Tokens that a row can hold. */
  readonly capacity: number
  /** `count` rows from `first` on, where they lie. */
  rows(first: number, count: number): CacheBuffers
  /** Row `to` becomes a copy of the first of `rows`, of which `length` tokens are known. */
  fill(to: number, rows: CacheBuffers, length: number): void
  /** The same rows in slots of another capacity, `lengths` tokens of each. */
  moved(capacity: number, lengths: readonly number[]): Slots
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
      return target
    },
  }
  return slots
}

/** Of one row's keys and values. */
export const rowBytes = (cache: CachedSession['cache'], capacity: number): number =>
  cache.reduce((sum, { kvHeads, headDim }) => sum + 2 * kvHeads * headDim, 0) *
  capacity *
  Float32Array.BYTES_PER_ELEMENT

const rowsOf = (buffers: Feeds, first: number, count: number): Feeds =>
  Object.fromEntries(
    Object.entries(buffers).map(([name, { data, dims }]) => {
      const row = data.length / dims[0]!
      const part = (data as Float32Array).subarray(first * row, (first + count) * row)
      return [name, { data: part, dims: dims.with(0, count) }]
    }),
  )

/** `[rows, kvHeads, capacity, headDim]`: a head's tokens lie together. */
function copyRow(source: Tensor, target: Tensor, to: number, length: number): void {
  const [, kvHeads, held, headDim] = source.dims as [number, number, number, number]
  const room = target.dims[2]!
  const [read, write] = [source.data as Float32Array, target.data as Float32Array]
  for (let head = 0; head < kvHeads; head++) {
    const start = head * held * headDim
    const part = read.subarray(start, start + length * headDim)
    write.set(part, (to * kvHeads + head) * room * headDim)
  }
}
