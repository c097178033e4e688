/** @file Wilson's interval and the exact limit at zero: table values, properties, and coverage by enumeration. */
import { describe, expect, it } from 'vitest'
import { binomialProbability } from '../../../evals/statistics/binomial.ts'
import { wilson } from '../../../evals/statistics/proportion.ts'
import { fc } from '../../doubles/properties.ts'

const outcome = fc
  .integer({ min: 1, max: 5000 })
  .chain((n) => fc.record({ n: fc.constant(n), x: fc.integer({ min: 0, max: n }) }))

describe('wilson', () => {
  it.each([
    [0, 100, 0, 0.036993],
    [3, 520, 0.001964, 0.016823],
    [514, 520, 0.975058, 0.994701],
    [100, 100, 0.963007, 1],
    [5, 10, 0.236593, 0.763407],
  ])('of %d/%d is [%d, %d]', (successes, n, lower, upper) => {
    const interval = wilson(successes, n)
    expect(interval.lower).toBeCloseTo(lower, 6)
    expect(interval.upper).toBeCloseTo(upper, 6)
  })

  it('is exactly 0 or 1 at the ends and never without width', () => {
    for (let n = 1; n <= 3000; n++) {
      expect(wilson(0, n).lower).toBe(0)
      expect(wilson(n, n).upper).toBe(1)
      expect(wilson(0, n).upper).toBeGreaterThan(0)
      expect(wilson(n, n).lower).toBeLessThan(1)
    }
    expect(wilson(0, 0)).toEqual({ lower: 0, upper: 1 })
  })

  it('holds the estimate, mirrors, narrows with n and widens with z', () => {
    fc.assert(
      fc.property(outcome, ({ n, x }) => {
        const { lower, upper } = wilson(x, n)
        expect(lower).toBeGreaterThanOrEqual(0)
        expect(upper).toBeLessThanOrEqual(1)
        expect(lower).toBeLessThanOrEqual(x / n)
        expect(upper).toBeGreaterThanOrEqual(x / n)
        const mirror = wilson(n - x, n)
        expect(mirror.lower).toBeCloseTo(1 - upper, 12)
        expect(mirror.upper).toBeCloseTo(1 - lower, 12)
        const larger = wilson(10 * x, 10 * n)
        expect(larger.upper - larger.lower).toBeLessThan(upper - lower)
        const wider = wilson(x, n, 2.575829)
        expect(wider.upper - wider.lower).toBeGreaterThan(upper - lower)
        if (x < n) {
          expect(wilson(x + 1, n).lower).toBeGreaterThan(lower)
          expect(wilson(x + 1, n).upper).toBeGreaterThan(upper)
        }
      }),
    )
  })

  it.each([20, 50])('covers the truth 95 % of the time on average, n = %d', (n) => {
    const grid = Array.from({ length: 199 }, (_, i) => (i + 1) / 200)
    const coverage = grid.map((p) => {
      let covered = 0
      for (let x = 0; x <= n; x++) {
        const { lower, upper } = wilson(x, n)
        if (lower <= p && p <= upper) covered += binomialProbability(x, n, p)
      }
      return covered
    })
    const average = coverage.reduce((sum, x) => sum + x, 0) / grid.length
    expect(Math.abs(average - 0.95)).toBeLessThan(0.01)
    expect(Math.min(...coverage)).toBeGreaterThan(0.8)
  })

  it.each([
    [2, 1],
    [-1, 3],
    [0.5, 3],
    [NaN, 3],
    [1, Infinity],
  ])('refuses %d of %d', (successes, n) => {
    expect(() => wilson(successes, n)).toThrow('internal:')
  })
})
