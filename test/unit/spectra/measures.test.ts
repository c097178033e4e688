import { describe, expect, test } from 'vitest'
import { effectiveRank, frobeniusNorm, stableRank } from '../../../evals/spectra/measures.ts'
import { singularValues } from '../../../evals/spectra/decomposition/partial-svd.ts'
import { gaussian, matrix, multiply, randomUnit, withSpike } from './fixtures.ts'

describe('effectiveRank (T7)', () => {
  test('I₈ → 8, rank 1 → 1, diag(3, 1) → 1.754765', () => {
    const identity = matrix(
      Array.from({ length: 8 }, (_, i) => Array.from({ length: 8 }, (_, j) => (i === j ? 1 : 0))),
    )
    expect(effectiveRank(singularValues(identity))).toBeCloseTo(8, 12)
    const zero = { rows: 9, columns: 14, data: new Float64Array(126) }
    const rankOne = withSpike(zero, 2.5, randomUnit(9, 1), randomUnit(14, 2))
    expect(effectiveRank(singularValues(rankOne))).toBeCloseTo(1, 12)
    const diagonal = matrix([
      [3, 0],
      [0, 1],
    ])
    expect(effectiveRank(singularValues(diagonal))).toBeCloseTo(1.754765, 6)
  })

  test('never above the rank, and blind to scale', () => {
    const W = multiply(gaussian(30, 4, 1), gaussian(4, 50, 2))
    const rank = effectiveRank(singularValues(W))!
    expect(rank).toBeGreaterThan(3)
    expect(rank).toBeLessThanOrEqual(4)
    expect(effectiveRank(singularValues(W).map((σ) => σ * 1e-200))).toBeCloseTo(rank, 10)
    expect(effectiveRank([1e308, 1e308])).toBeCloseTo(2, 10)
  })

  test('of nothing is null', () => {
    expect(effectiveRank([])).toBeNull()
    expect(effectiveRank([0, 0])).toBeNull()
  })
})

test('stable rank: Σσ² / σ₁²', () => {
  expect(stableRank([2, 1, 1])).toBe(1.5)
  expect(stableRank([5, 0])).toBe(1)
  expect(stableRank([0])).toBeNull()
  expect(stableRank([1e200, 1e200])).toBe(2)
})

test('Frobenius norm', () => {
  expect(frobeniusNorm([3, 4])).toBeCloseTo(5, 12)
  expect(frobeniusNorm([3e200, 4e200]) / 5e200).toBeCloseTo(1, 12)
  expect(frobeniusNorm([3e-200, 4e-200]) / 5e-200).toBeCloseTo(1, 12)
  expect(frobeniusNorm([0, 0])).toBe(0)
})
