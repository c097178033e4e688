/** @file Floors and ceilings: the test, its limit and its power are one another's, and those of the binomial summed term by term. */
import { describe, expect, test } from 'vitest'
import { binomialProbability } from '../../../evals/statistics/binomial.ts'
import { floorPower, levelLimit, levelTests } from '../../../evals/statistics/level.ts'

const sum = (n: number, p: number, isIn: (x: number) => boolean) =>
  Array.from({ length: n + 1 }, (_, x) => (isIn(x) ? binomialProbability(x, n, p) : 0)).reduce(
    (a, b) => a + b,
    0,
  )

describe.each([
  ['floor', 0.8],
  ['ceiling', 0.2],
] as const)('a %s', (kind, at) => {
  test('its size at the bound is at most α, and its limit lies within exactly where it is shown', () => {
    for (const n of [5, 13, 14, 60, 211]) {
      const shown = (x: number) => levelTests({ kind, at }, { x, n }).holds <= 0.05
      expect(sum(n, at, shown)).toBeLessThanOrEqual(0.05 + 1e-12)
      for (let x = 0; x <= n; x++) {
        const limit = levelLimit({ kind, at }, { x, n }, 0.05)
        expect(kind === 'floor' ? limit >= at : limit <= at, `${x} of ${n}`).toBe(shown(x))
      }
    }
  })
})

test('both p are tails that hold the count itself', () => {
  const { holds, fails } = levelTests({ kind: 'floor', at: 0.8 }, { x: 30, n: 40 })
  expect(holds).toBeCloseTo(
    sum(40, 0.8, (x) => x >= 30),
    12,
  )
  expect(fails).toBeCloseTo(
    sum(40, 0.8, (x) => x <= 30),
    12,
  )
  // 14 of 14 are the fewest that show 80 %: 0.8¹⁴ = 0.044.
  expect(levelTests({ kind: 'floor', at: 0.8 }, { x: 14, n: 14 }).holds).toBeCloseTo(0.8 ** 14, 14)
})

test('the power of a floor is the chance of the counts that show it', () => {
  for (const n of [10, 40, 150]) {
    const shown = (x: number) => levelTests({ kind: 'floor', at: 0.9 }, { x, n }).holds <= 0.05
    expect(floorPower(n, 0.97, 0.9, 0.05)).toBeCloseTo(sum(n, 0.97, shown), 12)
  }
})
