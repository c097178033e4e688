/** @file When weights look ablated, and the place-choosing gap on activations whose kinds differ and on ones whose kinds do not. */
import { expect, test } from 'vitest'
import { gapLeavingOneOut } from '../../../../evals/arms/causes/difference-of-means.ts'
import { looksAblated } from '../../../../evals/contract/subjects/direction.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'

const benign = {
  ...{ data: 'rows', method: 'full', draws: 19 },
  ...{ highestShared: 0.4, lowestLeft: 0.8, pValue: 0.05 },
}
const ablated = { weights: 12, shared: 1, left: 0, cosine: 1, benign }

test.each([
  ['yes', ablated],
  // As alike as an ablation, but nothing less is written along it.
  ['not shown', { ...ablated, left: 0.9 }],
  ['not shown', { ...ablated, benign: { ...benign, pValue: 0.1 } }],
  ['not tested', { ...ablated, benign: { ...benign, draws: 18, pValue: 1 / 19 } }],
  ['not tested', { ...ablated, benign: null }],
] as const)('weights look ablated: %s', (outcome, change) => {
  expect(looksAblated(change)).toBe(outcome)
})

test('leaving one out sees no gap where there is none, though each direction tells its own prompts apart', () => {
  const stream = randomStream(3, 'activations')
  const drawn = (shift: number) =>
    Array.from({ length: 20 }, () =>
      Float32Array.from({ length: 64 }, (_, i) => stream.normal() + (i === 0 ? shift : 0)),
    )
  expect(Math.abs(gapLeavingOneOut({ refuse: drawn(0), answer: drawn(0) }))).toBeLessThan(1)
  expect(gapLeavingOneOut({ refuse: drawn(4), answer: drawn(0) })).toBeGreaterThan(2)
})
