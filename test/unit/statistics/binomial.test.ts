/** @file Binomial probabilities against whole-number arithmetic without rounding. */
import { describe, expect, it } from 'vitest'
import {
  binomialLowerTail,
  binomialProbability,
  logFactorial,
} from '../../../evals/statistics/binomial.ts'
import { fc } from '../../doubles/properties.ts'

/** Σ_{i ≤ k} C(n, i) and C(n, k), exactly. */
function exactCounts(k: number, n: number): { sum: bigint; last: bigint } {
  let last = 1n
  let sum = 1n
  for (let i = 1; i <= k; i++) {
    last = (last * BigInt(n - i + 1)) / BigInt(i)
    sum += last
  }
  return { sum, last }
}

/** x / 2ⁿ, rounded once: both sides are cut to 80 bits first, so that neither overflows. */
function overPowerOfTwo(x: bigint, n: number): number {
  const extra = Math.max(0, x.toString(2).length - 80)
  return Number(x >> BigInt(extra)) * 2 ** (extra - n)
}

describe('logFactorial', () => {
  it('agrees with the exact product on both sides of the change of formula', () => {
    let factorial = 1n
    for (let n = 1; n <= 170; n++) {
      factorial *= BigInt(n)
      const exact = Math.log(Number(factorial))
      expect(Math.abs(logFactorial(n) - exact)).toBeLessThanOrEqual(4e-15 * exact)
    }
    expect(logFactorial(0)).toBe(0)
  })
})

describe('binomial tails', () => {
  it('equal exact arithmetic at p = ½', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 900 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, share) => {
          const k = Math.floor(share * n)
          const { sum, last } = exactCounts(k, n)
          // The logarithm is a difference of terms up to n ln n, each rounded; exp turns that into a relative error.
          const bound = (8 + 4 * n * Math.log(n)) * Number.EPSILON
          const [tail, mass] = [overPowerOfTwo(sum, n), overPowerOfTwo(last, n)]
          expect(Math.abs(binomialLowerTail(k, n, 0.5) - tail)).toBeLessThanOrEqual(bound * tail)
          expect(Math.abs(binomialProbability(k, n, 0.5) - mass)).toBeLessThanOrEqual(bound * mass)
        },
      ),
    )
  })

  it('are sums of probabilities at any p, and grow with k', () => {
    const p = fc.double({ min: 0.001, max: 0.999, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), p, (n, share) => {
        let sum = 0
        let before = 0
        for (let k = 0; k <= n; k++) {
          sum += binomialProbability(k, n, share)
          const tail = binomialLowerTail(k, n, share)
          expect(Math.abs(tail - sum)).toBeLessThan(1e-12)
          expect(tail).toBeGreaterThanOrEqual(before - 1e-13)
          before = tail
        }
        expect(Math.abs(sum - 1)).toBeLessThan(1e-12)
      }),
    )
  })

  it('stand where 2⁻ⁿ underflows', () => {
    expect(binomialLowerTail(0, 2000, 0.5)).toBe(0)
    expect(binomialLowerTail(1000, 2000, 0.5)).toBeGreaterThan(0.5)
    // By symmetry P[X ≤ 999] = (1 − P[X = 1000])/2 for n = 2000.
    expect(binomialLowerTail(999, 2000, 0.5)).toBeCloseTo(
      (1 - binomialProbability(1000, 2000, 0.5)) / 2,
      11,
    )
  })

  it.each([
    [3, 2, 0.5],
    [-1, 2, 0.5],
    [1.5, 2, 0.5],
    [1, 2, 0],
    [1, 2, 1],
    [1, 2, NaN],
  ])('refuse k = %d, n = %d, p = %d', (k, n, p) => {
    expect(() => binomialLowerTail(k, n, p)).toThrow('internal:')
    expect(() => binomialProbability(k, n, p)).toThrow('internal:')
  })
})
