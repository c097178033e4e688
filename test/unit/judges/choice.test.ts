/** @file Options by their log-probability, summed and a character. */
import { expect, test } from 'vitest'
import { choice, choiceNorm } from '../../../evals/judges/choice.ts'
import type { Answer } from '../../../evals/judges/judge.ts'

const answer = (
  options: string[],
  correct: number,
  optionLogProbs: number[] | undefined,
): Answer => ({
  sample: {
    id: '1',
    benchmark: 'hotel',
    category: 'any',
    messages: [{ role: 'user', content: 'Where?' }],
    expected: { kind: 'choice', options, correct },
  },
  completion: { text: '', tokenIds: [], stop: 'end', meanLogProb: 0 },
  baseMeanLogProb: null,
  ...(optionLogProbs ? { optionLogProbs } : {}),
})
const outcomes = async (asked: Answer) =>
  (await Promise.all([choice.judge([asked]), choiceNorm.judge([asked])])).map(
    ([verdict]) => verdict!.outcome,
  )

test('a long ending loses by its sum and wins by the character', async () => {
  // −4 / 4 = −1 a character against −5 / 10 = −0.5.
  const asked = answer(['pool', 'the garden'], 1, [-4, -5])
  expect(await outcomes(asked)).toEqual(['incorrect', 'correct'])
  expect(await choice.judge([asked])).toMatchObject([{ score: -5 }])
})

test('characters are counted, not bytes and not UTF-16 units', async () => {
  // "🏨🏨🏨" is 3 characters, 6 units, 12 bytes: −3.3 / 3 = −1.1 loses to −5 / 5 = −1, and would win by units.
  expect((await outcomes(answer(['🏨🏨🏨', 'hotel'], 1, [-3.3, -5])))[1]).toBe('correct')
})

test('a tie with the right option is undecided: a model without any preference knows nothing', async () => {
  expect(await outcomes(answer(['a', 'b'], 0, [-1, -1]))).toEqual(['undecided', 'undecided'])
  expect(await outcomes(answer(['a', 'b', 'c'], 2, [-1, -1, -2]))).toEqual([
    'incorrect',
    'incorrect',
  ])
})

test('what is more probable than every option, and none of them, is the choice', async () => {
  const asked = { ...answer(['a', 'b'], 0, [-1, -2]), otherLogProb: -0.5 }
  expect(await outcomes(asked)).toEqual(['incorrect', 'incorrect'])
})

test.each([
  ['no scores', undefined],
  ['too few', [-1]],
  ['not a number', [-1, NaN]],
])('%s: undecided', async (_, scores) => {
  expect(await outcomes(answer(['a', 'b'], 0, scores))).toEqual(['undecided', 'undecided'])
})
