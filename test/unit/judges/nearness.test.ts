/** @file Numbers of a network against a target: the distance, and what counts as near. */
import { expect, test } from 'vitest'
import type { Answer } from '../../../evals/judges/judge.ts'
import { nearness } from '../../../evals/judges/nearness.ts'

const answer = (values: readonly number[] | undefined, within = 5): Answer => ({
  sample: {
    id: '1',
    benchmark: 'points',
    category: 'all',
    messages: [],
    expected: { kind: 'values', target: [1, 1], within, unit: 'cm' },
  },
  completion: { text: '', tokenIds: [], stop: 'end', meanLogProb: 0 },
  baseMeanLogProb: null,
  ...(values && { values }),
})

test.each([
  [[4, 5], 5, { outcome: 'correct', score: 5 }],
  [[4, 5], 4.999, { outcome: 'incorrect', score: 5 }],
  [[1, 1], 1e-9, { outcome: 'correct', score: 0 }],
])('%j within %d', async (values, within, said) => {
  expect(await nearness.judge([answer(values, within)])).toMatchObject([said])
})

test.each([[[1]], [[NaN, 1]], [[1, Infinity]], [undefined]])(
  'numbers that are none, %j, are not judged',
  async (values) => {
    expect(await nearness.judge([answer(values)])).toMatchObject([{ outcome: 'undecided' }])
  },
)
