/** @file When an arm is evaluated: before the first step, on the way, and at the end, once each. */
import { expect, test } from 'vitest'
import {
  askedByBisection,
  evaluationSteps,
  lastGood,
  mostAsked,
} from '../../../evals/contract/gate/steps.ts'
import { fc } from '../../doubles/properties.ts'

test.each([
  [150, 40, [0, 40, 80, 120, 150]],
  [120, 40, [0, 40, 80, 120]],
  [60, null, [0, 15, 30, 45, 60]],
  [3, null, [0, 1, 2, 3]],
  [10, 99, [0, 10]],
])('%d steps, every %j: %j', (steps, every, expected) => {
  expect(evaluationSteps(steps, every)).toEqual(expected)
})

test('begins at 0, ends at the end, and never asks twice', () => {
  const every = fc.option(fc.integer({ min: 1, max: 300 }))
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2000 }), every, (steps, stride) => {
      const at = evaluationSteps(steps, stride)
      expect([at[0], at.at(-1)]).toEqual([0, steps])
      expect(at).toEqual([...new Set(at)].sort((a, b) => a - b))
      if (stride === null && steps >= 13) expect(at.length).toBeGreaterThanOrEqual(5)
    }),
  )
})

test('bisection finds the last good of any number of states, in as many questions as it said at most', async () => {
  const counts = fc.integer({ min: 0, max: 200 })
  await fc.assert(
    fc.asyncProperty(counts, fc.nat(200), async (count, cut) => {
      const good = Math.min(cut, count)
      const asked: number[] = []
      const found = await lastGood(count, async (at) => {
        asked.push(at)
        return at < good
      })
      expect(found).toBe(good === 0 ? null : good - 1)
      expect(asked.length).toBeLessThanOrEqual(mostAsked(count))
      expect(new Set(asked).size).toBe(asked.length)
      if (count > 0) expect(asked[0]).toBe(count - 1)
    }),
  )
})

test('a run says by its configuration how many it asks for at most', () => {
  const config = { bisect: true, evalEvery: 1, training: { steps: 20 } }
  // The last, and one of twenty others.
  expect(askedByBisection(config)).toBe(6)
  expect(askedByBisection({ ...config, bisect: false })).toBeUndefined()
  expect(askedByBisection({})).toBeUndefined()
})
