/** @file Holm, κ, ranks and ρ, mean and spread: table values and properties. */
import { describe, expect, it } from 'vitest'
import { cohenKappa } from '../../../evals/statistics/judges/agreement.ts'
import { averageRanks, spearman } from '../../../evals/statistics/correlation.ts'
import { holm, holmAdjusted } from '../../../evals/statistics/paired/holm.ts'
import { meanAndSd } from '../../../evals/statistics/summary.ts'
import { fc } from '../../doubles/properties.ts'

describe('holm', () => {
  it('of (.01, .04, .03, .005) rejects .005 and .01 only', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005], 0.05)).toEqual([true, false, false, true])
  })

  it('stops at the first failure, rejects what Bonferroni does, and never more than no correction', () => {
    // The second fails .05/2, so the third is kept though .03 ≤ .05.
    expect(holm([0.01, 0.03, 0.03])).toEqual([true, false, false])
    const p = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.array(p, { maxLength: 20 }), (values) => {
        const rejected = holm(values, 0.05)
        expect(rejected).toHaveLength(values.length)
        for (const [i, value] of values.entries()) {
          if (value <= 0.05 / values.length) expect(rejected[i]).toBe(true)
          if (value > 0.05) expect(rejected[i]).toBe(false)
        }
      }),
    )
    expect(holm([])).toEqual([])
  })

  it('adjusts p so that it is rejected at α exactly where holm rejects it', () => {
    const table = holmAdjusted([0.01, 0.04, 0.03, 0.005])
    for (const [i, value] of [0.03, 0.06, 0.06, 0.02].entries()) {
      expect(table[i]).toBeCloseTo(value, 14)
    }
    const p = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.array(p, { maxLength: 20 }), (values) => {
        const adjusted = holmAdjusted(values)
        for (const alpha of [0.0503, 0.2017]) {
          // On the border itself a product and a quotient may round apart.
          if (adjusted.some((value) => Math.abs(value - alpha) < 1e-12)) continue
          expect(adjusted.map((value) => value <= alpha)).toEqual(holm(values, alpha))
        }
      }),
    )
    expect(() => holmAdjusted([2])).toThrow('internal: p-values')
  })

  it('with weights rejects what closed testing does: each intersection by weighted Bonferroni', () => {
    const cases = fc.array(
      fc.record({
        p: fc.double({ min: 0, max: 0.2, noNaN: true }),
        weight: fc.double({ min: 0.05, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 5 },
    )
    const alpha = 0.05
    fc.assert(
      fc.property(cases, (claims) => {
        const subsets = Array.from({ length: 2 ** claims.length - 1 }, (_, bits) =>
          claims.filter((_, i) => ((bits + 1) >> i) & 1),
        )
        const isRejected = (subset: typeof claims) => {
          const whole = subset.reduce((sum, { weight }) => sum + weight, 0)
          return subset.some(({ p, weight }) => p <= (alpha * weight) / whole)
        }
        const closed = claims.map((claim) =>
          subsets.filter((subset) => subset.includes(claim)).every(isRejected),
        )
        const [p, weights] = [claims.map((each) => each.p), claims.map((each) => each.weight)]
        expect(holm(p, alpha, weights)).toEqual(closed)
      }),
    )
  })

  it('refuses what is no probability', () => {
    expect(() => holm([0.1, NaN])).toThrow('internal: p-values')
    expect(() => holm([1.1])).toThrow('internal: p-values')
    expect(() => holm([0.1], 1)).toThrow('internal: alpha')
  })
})

describe('cohenKappa', () => {
  it('of [[20, 5], [10, 15]] is .4', () => {
    const table = [
      [20, 5],
      [10, 15],
    ]
    expect(cohenKappa(table)).toBeCloseTo(0.4, 14)
  })

  it('is 1 for full agreement, 0 for chance, null where it is not defined', () => {
    const diagonal = [
      [3, 0],
      [0, 4],
    ]
    const independent = [
      [4, 6],
      [8, 12],
    ]
    const constant = [
      [9, 0],
      [0, 0],
    ]
    expect(cohenKappa(diagonal)).toBe(1)
    expect(cohenKappa(independent)).toBe(0)
    expect(cohenKappa(constant)).toBeNull()
    expect(cohenKappa([])).toBeNull()
    expect(() => cohenKappa([[1, 2]])).toThrow('internal: an agreement table')
    expect(() => cohenKappa([[-1]])).toThrow('internal: count')
  })

  it('is the same for both judges and never above 1', () => {
    const row = fc.array(fc.nat({ max: 50 }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(fc.array(row, { minLength: 3, maxLength: 3 }), (table) => {
        const turned = table.map((_, i) => table.map((line) => line[i]!))
        expect(cohenKappa(turned)).toBe(cohenKappa(table))
        expect(cohenKappa(table) ?? 0).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('spearman', () => {
  it('with ties, x = (1, 2, 2, 3), y = (10, 20, 30, 40), is .948683', () => {
    expect(spearman([1, 2, 2, 3], [10, 20, 30, 40])).toBeCloseTo(0.948683, 6)
    expect(averageRanks([1, 2, 2, 3])).toEqual([1, 2.5, 2.5, 4])
    expect(averageRanks([5, 5, 1, 5])).toEqual([3, 3, 1, 3])
  })

  it('looks at order alone and is null where one side never varies', () => {
    const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 30 })
    fc.assert(
      fc.property(values, (x) => {
        const cubes = x.map((value) => value ** 3)
        const turned = x.map((value) => -value)
        if (new Set(x).size === 1) {
          expect(spearman(x, cubes)).toBeNull()
        } else {
          expect(spearman(x, cubes)).toBeCloseTo(1, 12)
          expect(spearman(x, turned)).toBeCloseTo(-1, 12)
        }
      }),
    )
    expect(spearman([], [])).toBeNull()
    expect(spearman([1], [1])).toBeNull()
    expect(() => spearman([1], [1, 2])).toThrow('internal: spearman')
    expect(() => spearman([1, NaN], [1, 2])).toThrow('internal: spearman')
  })
})

describe('meanAndSd', () => {
  it('divides by n − 1', () => {
    const { mean, sd } = meanAndSd([2, 4, 4, 4, 5, 5, 7, 9])
    expect(mean).toBe(5)
    expect(sd).toBeCloseTo(Math.sqrt(32 / 7), 14)
  })

  it('keeps its digits far from zero', () => {
    expect(meanAndSd([1e9 + 1, 1e9 + 2, 1e9 + 3]).sd).toBeCloseTo(1, 12)
  })

  it('has no spread for one value and no mean for none', () => {
    expect(meanAndSd([3])).toEqual({ mean: 3, sd: null })
    expect(() => meanAndSd([])).toThrow('internal: a mean')
  })
})
