/** @file When an arm is evaluated: before the first step, on the way, and at the end, once each. */
import { expect, test } from 'vitest'
import { evaluationSteps } from '../../../evals/arms/steps.ts'
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
