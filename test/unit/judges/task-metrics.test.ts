/** @file Metrics of a fine-tune's own task: hand values. */
import { expect, test } from 'vitest'
import type { Answer } from '../../../evals/judges/judge.ts'
import { findJudge } from '../../../evals/judges/registry.ts'
import { containsAnswer, exactMatch, tokenF1 } from '../../../evals/judges/task-metrics.ts'

const asked = (text: string, accept: string[]): Answer => ({
  sample: {
    ...{ id: '1', benchmark: 'task', category: 'all' },
    messages: [{ role: 'user', content: 'Where is the key?' }],
    expected: { kind: 'answer', accept },
  },
  completion: { text, tokenIds: [], stop: 'end', meanLogProb: 0 },
  baseMeanLogProb: null,
})

const said = async (judge: typeof exactMatch, text: string, ...accept: string[]) =>
  (await judge.judge([asked(text, accept)]))[0]!

test.each([
  ['Behind the desk.', 'correct'],
  ['  BEHIND   the desk', 'correct'],
  ['It is behind the desk.', 'incorrect'],
  ['', 'degenerate'],
])('exact match of %j is %s', async (text, outcome) => {
  expect(await said(exactMatch, text, 'behind the desk')).toMatchObject({ outcome })
})

test.each([
  ['It is behind the desk, I think.', 'correct'],
  ['Behind the desktop.', 'incorrect'],
])('an answer contained in %j is %s', async (text, outcome) => {
  expect(await said(containsAnswer, text, 'Behind the desk')).toMatchObject({ outcome })
})

test('F1 of words counts each as often as it stands in both, against the nearest answer', async () => {
  // Shared: the, key, the, desk: 2 · 4/(6 + 5).
  const found = await said(tokenF1, 'The key lies on the desk', 'the key behind the desk')
  expect(found).toMatchObject({ outcome: 'correct', score: 8 / 11 })
  expect(await said(tokenF1, 'the the the', 'the key', 'no')).toMatchObject({
    outcome: 'incorrect',
    score: 2 / 5,
  })
  expect(await said(tokenF1, 'nowhere', 'the key', 'nowhere')).toMatchObject({ score: 1 })
})

test('what is no question of a task is undecided', async () => {
  const { sample, ...rest } = asked('yes', ['yes'])
  const other = { ...rest, sample: { ...sample, expected: { kind: 'comply' as const } } }
  expect((await findJudge('exact-match').judge([other]))[0]).toMatchObject({ outcome: 'undecided' })
})
