/** @file Sets of parts: the smallest that holds by bisection, and random ones whose change is no larger. */
import { describe, expect, test } from 'vitest'
import {
  randomSet,
  smallestThatHolds,
  squaredNormOf,
  type Part,
} from '../../../../evals/arms/causes/parts.ts'

describe('the smallest count that holds', () => {
  test.each([1, 2, 7, 31, 32])(
    'is found where counts from %i on hold, in few tries',
    async (from) => {
      const tried: number[] = []
      const holds = (count: number) => {
        tried.push(count)
        return Promise.resolve(count >= from)
      }
      expect(await smallestThatHolds(32, holds)).toBe(from)
      expect(tried.length).toBeLessThanOrEqual(6)
      expect(new Set(tried).size).toBe(tried.length)
    },
  )

  test('is none where all parts together do not hold, or there is no part', async () => {
    const never = () => Promise.resolve(false)
    expect(await smallestThatHolds(8, never)).toBeNull()
    expect(await smallestThatHolds(0, () => Promise.resolve(true))).toBeNull()
  })
})

test('a random set has at most the norm that is asked, and more than that less its largest part', () => {
  const parts = Array.from({ length: 30 }, (_, layer): Part => {
    return { layer, module: 'q_proj', weights: [`w${layer}`], squaredNorm: 1 + (layer % 5) }
  })
  const sets = [1, 2, 3].map((draw) => randomSet(parts, 20, 0, draw))
  for (const set of sets) {
    expect(squaredNormOf(set)).toBeLessThanOrEqual(20 + 1e-6)
    expect(squaredNormOf(set)).toBeGreaterThan(15)
  }
  expect(new Set(sets.map((set) => set.map(({ layer }) => layer).join())).size).toBe(3)
  expect(squaredNormOf(randomSet(parts, squaredNormOf(parts), 0, 1))).toBe(squaredNormOf(parts))
})
