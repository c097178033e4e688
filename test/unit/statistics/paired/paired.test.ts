/** @file McNemar and Newcombe: table values and the symmetries that any paired test must have. */
import { describe, expect, it } from 'vitest'
import {
  mcNemarExact,
  mcNemarMidP,
  newcombePaired,
} from '../../../../evals/statistics/paired/paired.ts'
import { fc } from '../../../doubles/properties.ts'

const count = fc.nat({ max: 200 })
const counts = fc.record({ a: count, b: count, c: count, d: count })
const some = counts.filter(({ a, b, c, d }) => a + b + c + d > 0)

describe('McNemar', () => {
  it.each([
    [1, 9, 0.021484375, 0.01171875],
    [12, 30, 0.007915897, 0.005401573],
    [5, 5, 1, 1],
    [0, 0, 1, 1],
  ])('of (%d, %d): exact %d, mid-p %d', (b, c, exact, midP) => {
    expect(mcNemarExact(b, c)).toBeCloseTo(exact, 9)
    expect(mcNemarMidP(b, c)).toBeCloseTo(midP, 9)
  })

  it('of (0, 5) is .0625', () => {
    expect(mcNemarExact(0, 5)).toBeCloseTo(0.0625, 14)
  })

  it('does not care which side is which, and stays within (0, 1]', () => {
    fc.assert(
      fc.property(count, count, (b, c) => {
        for (const test of [mcNemarExact, mcNemarMidP]) {
          expect(test(b, c)).toBe(test(c, b))
        }
        expect(mcNemarExact(b, c)).toBeGreaterThan(0)
        expect(mcNemarExact(b, c)).toBeLessThanOrEqual(1)
        expect(mcNemarMidP(b, c)).toBeLessThanOrEqual(mcNemarExact(b, c))
        expect(mcNemarMidP(b, c)).toBeGreaterThan(0)
      }),
    )
  })

  it('grows surer as the sides move apart', () => {
    for (let b = 0; b < 20; b++) {
      expect(mcNemarExact(b, 40 - b)).toBeLessThan(mcNemarExact(b + 1, 39 - b))
    }
  })

  it('stands with thousands of changes', () => {
    expect(mcNemarExact(4000, 4001)).toBe(1)
    expect(mcNemarExact(3900, 4100)).toBeGreaterThan(0.02)
    expect(mcNemarExact(3900, 4100)).toBeLessThan(0.03)
    expect(mcNemarExact(0, 5000)).toBe(0)
  })

  it.each([
    [-1, 2],
    [0.5, 1],
    [NaN, 1],
  ])('refuses (%d, %d)', (b, c) => {
    expect(() => mcNemarExact(b, c)).toThrow('internal:')
    expect(() => mcNemarMidP(b, c)).toThrow('internal:')
  })
})

describe('newcombePaired', () => {
  it('of a20 b60 c2 d18 is .58, [.460543, .670932]', () => {
    const { difference, lower, upper } = newcombePaired({ a: 20, b: 60, c: 2, d: 18 })
    expect(difference).toBeCloseTo(0.58, 12)
    expect(lower).toBeCloseTo(0.460543, 6)
    expect(upper).toBeCloseTo(0.670932, 6)
  })

  it('has no values without pairs', () => {
    const none = newcombePaired({ a: 0, b: 0, c: 0, d: 0 })
    expect(none).toEqual({ difference: null, lower: null, upper: null })
  })

  it('holds the difference within [−1, 1], and swapping before with after turns it round', () => {
    fc.assert(
      fc.property(some, ({ a, b, c, d }) => {
        const one = newcombePaired({ a, b, c, d })
        const other = newcombePaired({ a, b: c, c: b, d })
        expect(one.lower).toBeGreaterThanOrEqual(-1)
        expect(one.upper).toBeLessThanOrEqual(1)
        expect(one.lower).toBeLessThanOrEqual(one.difference!)
        expect(one.upper).toBeGreaterThanOrEqual(one.difference!)
        expect(one.upper! - one.lower!).toBeGreaterThan(0)
        expect(other.difference).toBeCloseTo(-one.difference!, 12)
        expect(other.lower).toBeCloseTo(-one.upper!, 12)
        expect(other.upper).toBeCloseTo(-one.lower!, 12)
        // Counting the opposite outcome (a ↔ d, b ↔ c) turns it round too.
        const opposite = newcombePaired({ a: d, b: c, c: b, d: a })
        expect(opposite.lower).toBeCloseTo(-one.upper!, 12)
      }),
    )
  })

  it('is narrower when the prompts agree more', () => {
    const agreeing = newcombePaired({ a: 50, b: 10, c: 0, d: 40 })
    const crossing = newcombePaired({ a: 20, b: 40, c: 30, d: 10 })
    expect(agreeing.difference).toBeCloseTo(crossing.difference!, 12)
    expect(agreeing.upper! - agreeing.lower!).toBeLessThan(crossing.upper! - crossing.lower!)
  })
})
