/** @file The least operations of an audit, counted by hand on a model of one layer. */
import { describe, expect, it } from 'vitest'
import { floorOf, placesOnce, totalOf } from '../../bench/audit/floor.ts'

// One layer: q and o 2·2, k and v 2·2 each, gate, up and down 2·3 each: 4·4 + 3·6 = 34 weights, 68 operations a token.
const size = { hidden: 2, layers: 1, heads: 1, kvHeads: 1, intermediate: 3, vocab: 5 }
const [LINEAR, HEAD] = [68, 2 * 2 * 5]
/** Attention of a token at place p: p keys and p values of two numbers. */
const attention = (...places: number[]): number => 8 * places.reduce((a, b) => a + b, 0)
const nothing = { prompts: [], neutral: [], steps: [] }
const none = { base: [], last: [], same: [] }

describe('placesOnce', () => {
  it('reads a beginning that rows share once', () => {
    const rows = [
      [7, 8, 9],
      [7, 8, 4, 5],
      [7, 8, 9],
      [1, 8],
    ]
    expect(placesOnce(rows).sort()).toEqual([1, 1, 2, 2, 3, 3, 4])
  })
})

describe('floorOf', () => {
  it('reads a prompt, and of a reply all tokens but the last', () => {
    const work = { ...nothing, prompts: [{ ids: [1, 2] }] }
    const floor = floorOf(size, work, { base: [2], last: [1], same: [false] })
    expect(floor.base).toBe(3 * LINEAR + attention(1, 2, 3) + 2 * HEAD)
    expect(floor.last).toBe(2 * LINEAR + attention(1, 2) + HEAD)
    expect(floor.underBase).toBe(HEAD)
  })

  it('asks the base nothing about a reply that is its own', () => {
    const work = { ...nothing, prompts: [{ ids: [1, 2] }] }
    expect(floorOf(size, work, { base: [3], last: [3], same: [true] }).underBase).toBe(0)
  })

  it('scores a neutral text from its second token on, in both states', () => {
    const floor = floorOf(size, { ...nothing, neutral: [[1, 2, 3]] }, none)
    expect(floor.base).toBe(2 * LINEAR + attention(1, 2) + 2 * HEAD)
    expect(floor.last).toBe(floor.base)
  })

  it('counts a training row but its last token twice, and its head where it is labelled', () => {
    const steps = [[{ ids: [1, 2, 3], labelled: [false, false, true] }]]
    const floor = floorOf(size, { ...nothing, steps }, none)
    expect(floor.training).toBe(2 * (2 * LINEAR + attention(1, 2) + HEAD))
    expect(totalOf(floor)).toBe(floor.training)
  })
})
