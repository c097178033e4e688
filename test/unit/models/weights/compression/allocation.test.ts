/** @file LQ-LoRA's allocation against every combination on small cases, and `budget:BITS` on matrices. */
import { describe, expect, test } from 'vitest'
import {
  allocate,
  type Choice,
} from '../../../../../evals/models/weights/compression/allocation.ts'
import { budget, FORMATS } from '../../../../../evals/models/weights/compression/budget.ts'
import { bitsOf } from '../../../../../evals/models/weights/compression/normal-float.ts'
import { fillNormal, randomStream } from '../../../../../evals/statistics/random.ts'
import { bestOfAll, smallCases } from '../../../../doubles/models/allocations.ts'

describe('allocation', () => {
  test('keeps the budget, and is at least as far from 0 as the best of all combinations', () => {
    const gaps = smallCases(40).map(({ matrices, budget: most }) => {
      const found = allocate(matrices, most)
      expect(found.bits).toBeLessThanOrEqual(most)
      return found.error / bestOfAll(matrices, most).error - 1
    })
    expect(Math.min(...gaps)).toBeGreaterThan(-1e-12)
    // The median is 0: more than half are the best; the page of compression has the distribution.
    expect(gaps.filter((gap) => gap < 1e-12).length).toBeGreaterThan(20)
  })

  test('is the best of all wherever one price of a bit spends the budget', () => {
    for (const { matrices } of smallCases(40)) {
      for (const price of [0.01, 0.1, 1]) {
        const cost = ({ error, bits }: Choice) => error + price * bits
        const spent = matrices
          .map((choices) => choices.reduce((a, b) => (cost(b) < cost(a) ? b : a)))
          .reduce((sum, { bits }) => sum + bits, 0)
        const [found, best] = [allocate(matrices, spent), bestOfAll(matrices, spent)]
        expect(found.error).toBeCloseTo(best.error, 12)
      }
    }
  })

  test('with room for everything takes the least error, with too little says what is needed', () => {
    const matrices = [
      [
        { bits: 2, error: 1 },
        { bits: 4, error: 0.1 },
      ],
      [{ bits: 3, error: 2 }],
    ]
    expect(allocate(matrices, 100).chosen).toEqual([1, 0])
    expect(allocate(matrices, 5).chosen).toEqual([0, 0])
    expect(() => allocate(matrices, 4.9)).toThrow(
      expect.objectContaining({ code: 'compress.budget' }),
    )
  })
})

describe('budget', () => {
  // The second matrix is a hundred times larger, so that its error weighs most.
  const matrices = [1, 100].map((size, i) => {
    const data = fillNormal(new Float32Array(640), randomStream(i, 'matrix')).map((x) => size * x)
    return { name: `m${i}`, count: data.length, read: () => data }
  })
  const chosen = (bits: number, fisher?: readonly Float32Array[]) => {
    const own = matrices.map((each, i) => (fisher ? { ...each, fisher: fisher[i]! } : each))
    const found = budget(bits).allocate(own)
    return matrices.map(({ name }) => found.get(name)!.bits(1, 1)!)
  }

  test('chooses among 432 formats', () => {
    expect(FORMATS).toHaveLength(432)
    expect(new Set(FORMATS.map((format) => JSON.stringify(format))).size).toBe(432)
    expect(Math.min(...FORMATS.map(bitsOf))).toBeCloseTo(2 + 2 / 64 + 16 / (64 * 256), 12)
  })

  test('stays within it, and gives more bits to the matrix whose error is larger', () => {
    const [small, large] = chosen(3)
    expect((small! + large!) / 2).toBeLessThanOrEqual(3)
    expect(large!).toBeGreaterThan(small!)
  })

  test('a constant Fisher weight changes nothing, and one that is large for a matrix turns it round', () => {
    const filled = (value: number) => new Float32Array(640).fill(value)
    expect(chosen(3, [filled(7), filled(7)])).toEqual(chosen(3))
    const [small, large] = chosen(3, [filled(1e6), filled(1e-6)])
    expect(small!).toBeGreaterThan(large!)
  })
})
