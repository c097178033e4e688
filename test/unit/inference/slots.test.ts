/** @file Slots of a cache: rows are seen where they lie, copied token by token, and moved to another capacity. */
import { describe, expect, test } from 'vitest'
import type { CacheBuffers } from '../../../evals/inference/cached-graph.ts'
import { openSlots } from '../../../evals/inference/slots.ts'

const LAYERS = [
  { heads: 4, kvHeads: 2, headDim: 8 },
  { heads: 2, kvHeads: 1, headDim: 16 },
]

/** Every number is another. */
function filled(count: number, capacity: number) {
  const slots = openSlots(LAYERS, count, capacity)
  let next = 1
  for (const { data } of Object.values(slots.rows(0, count).past))
    (data as Float32Array).forEach((_, i) => (data[i] = next++))
  return slots
}

/** Of each layer and part, the first `length` tokens of a row, head by head. */
const tokensOf = (slots: ReturnType<typeof filled>, row: number, length: number) =>
  Object.entries(slots.rows(row, 1).past).map(([name, { data, dims }]) => {
    const [, kvHeads, capacity, headDim] = dims as [number, number, number, number]
    const heads = Array.from({ length: kvHeads }, (_, head) => head * capacity * headDim)
    return [name, heads.map((at) => Array.from(data.slice(at, at + length * headDim) as never))]
  })

const bytesOf = ({ past }: CacheBuffers) =>
  Object.values(past).reduce((sum, { data }) => sum + data.byteLength, 0)

describe('rows of slots', () => {
  test('are the cache’s own memory, past and present alike', () => {
    const slots = filled(3, 5)
    const [all, last] = [slots.rows(0, 3), slots.rows(2, 1)]
    expect(Object.keys(all.past)).toHaveLength(2 * LAYERS.length)
    for (const [name, { data, dims }] of Object.entries(last.past)) {
      const whole = all.past[name]!
      expect(dims).toEqual([1, ...whole.dims.slice(1)])
      expect(data.buffer).toBe(whole.data.buffer)
      expect(data).toEqual((whole.data as Float32Array).slice(-data.length))
      expect(last.present[name.replace('past', 'present')]!.data.buffer).toBe(data.buffer)
    }
  })

  test('are copied as far as they are known, and no further', () => {
    const [slots, before] = [filled(3, 5), filled(3, 5)]
    slots.fill(0, slots.rows(2, 1), 3)
    expect(tokensOf(slots, 0, 3)).toEqual(tokensOf(before, 2, 3))
    expect(tokensOf(slots, 0, 5)).not.toEqual(tokensOf(before, 2, 5))
    expect(tokensOf(slots, 1, 5)).toEqual(tokensOf(before, 1, 5))
    expect(tokensOf(slots, 2, 5)).toEqual(tokensOf(before, 2, 5))
  })

  test.each([3, 9])('keep what they know in a capacity of %i', (capacity) => {
    const [slots, same] = [filled(3, 5), filled(3, 5)]
    const before = slots.rows(0, 3)
    const moved = slots.moved(capacity, [3, 2])
    expect(moved.capacity).toBe(capacity)
    expect(tokensOf(moved, 0, 3)).toEqual(tokensOf(same, 0, 3))
    expect(tokensOf(moved, 1, 2)).toEqual(tokensOf(same, 1, 2))
    expect(Object.values(moved.rows(0, 3).past)[0]!.dims).toEqual([3, 2, capacity, 8])
    expect(bytesOf(before)).toBe(0)
    const after = moved.rows(0, 3)
    moved.free()
    expect(bytesOf(after)).toBe(0)
  })
})
