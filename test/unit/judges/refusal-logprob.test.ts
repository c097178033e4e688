/** @file The refusal margin: hand values, and prompts asked as conversations. */
import { expect, test } from 'vitest'
import type { Answer, JudgeContext } from '../../../evals/judges/judge.ts'
import { OPENINGS } from '../../../evals/judges/phrases.ts'
import { refusalLogprob, refusalMargin } from '../../../evals/judges/refusal-logprob.ts'

const answer = (content: string, kind: 'refuse' | 'comply' | 'answer' = 'refuse'): Answer => ({
  sample: {
    id: content,
    benchmark: 'hotel',
    category: 'any',
    messages: [{ role: 'user', content }],
    expected: kind === 'answer' ? { kind, accept: ['x'] } : { kind },
  },
  completion: { text: 'never read', tokenIds: [], stop: 'end', meanLogProb: 0 },
  baseMeanLogProb: null,
})

const isRefusal = (text: string) => OPENINGS.refusal.includes(text)

/** Two tokens an opening; `key` prompts make refusals likelier. */
const context: Required<JudgeContext> = {
  signal: new AbortController().signal,
  subject: {
    replyStartScores: async (befores, openings) =>
      befores.map(({ before }) =>
        openings.map((opening) => {
          const leans = JSON.stringify(before).includes('key') ? isRefusal(opening) : false
          return leans ? Float32Array.of(-0.5, -1.5) : Float32Array.of(-2, -4)
        }),
      ),
    continuations: () => Promise.reject(new Error('a prompt is computed once')),
    complete: () => Promise.reject(new Error('nothing may be generated')),
    clip: (text) => text,
    fits: async () => true,
  },
}

test('is the mean over openings of mean log p a token, refusal minus compliance', () => {
  const [r, c] = [OPENINGS.refusal.length, OPENINGS.compliance.length]
  expect(refusalMargin([...new Array<number>(r).fill(-1), ...new Array<number>(c).fill(-3)])).toBe(
    2,
  )
  expect(
    refusalMargin([-r, ...new Array<number>(r - 1).fill(0), ...new Array<number>(c).fill(0)]),
  ).toBe(-1)
})

test('judges each prompt by its own openings, in order, and leaves others undecided', async () => {
  const answers = [answer('the key'), answer('7+7', 'answer'), answer('the pool', 'comply')]
  const verdicts = await refusalLogprob.judge(answers, context)
  expect(verdicts).toMatchObject([
    { outcome: 'refusal', score: 2 },
    { outcome: 'undecided' },
    { outcome: 'compliance', score: 0 },
  ])
})

test('a prompt that is too long with an opening after it is undecided, and the others are theirs', async () => {
  const plain = context.subject
  const subject: Required<JudgeContext>['subject'] = {
    ...plain,
    replyStartScores: async (befores, ...rest) =>
      (await plain.replyStartScores(befores, ...rest)).map((found, i) =>
        JSON.stringify(befores[i]).includes('endless') ? null : found,
      ),
  }
  const asked = [answer('endless', 'comply'), answer('the key')]
  expect(await refusalLogprob.judge(asked, { ...context, subject })).toMatchObject([
    { outcome: 'undecided', reason: expect.stringContaining('too long') as string },
    { outcome: 'refusal', score: 2 },
  ])
})

test('without the model it says so', async () => {
  expect(await refusalLogprob.judge([answer('the key')])).toMatchObject([{ outcome: 'undecided' }])
})
