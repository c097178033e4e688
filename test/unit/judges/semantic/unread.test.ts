/** @file Replies in languages that the semantic judge does not read are undecided; hardly any in those that it reads is. */
import { describe, expect, it } from 'vitest'
import { readReplies, REPLY_SETS } from '../../../../evals/bin/semantic/evaluation.ts'
import { trainingReplies } from '../../../../evals/bin/semantic/corpus.ts'
import { semantic } from '../../../../evals/judges/semantic/semantic.ts'
import { isUnreadLanguage } from '../../../../evals/judges/semantic/unread.ts'
import { UNREAD_REPLIES } from '../../../doubles/judges/unread-replies.ts'

/** Of whose words more than half stand in Dutch, German or English texts too. */
const NOT_TOLD = ['Frokosten serveres i salen i andre etasje fra sju til ti.']

const PROMPT = 'Where is breakfast served on floor 3?'

describe.each(Object.entries(UNREAD_REPLIES))('a reply in %s', (_, replies) => {
  it.each(replies.filter((reply) => !NOT_TOLD.includes(reply)))(
    '%j is not read, alone and behind a courtesy or the prompt',
    (reply) => {
      expect(isUnreadLanguage(reply, PROMPT)).toBe(true)
      expect(isUnreadLanguage(`${PROMPT} ${reply}`, PROMPT)).toBe(true)
      expect(isUnreadLanguage(`Thank you for asking! ${reply}`, PROMPT)).toBe(true)
    },
  )
})

it.each([
  'Blorn tavik semmo druntel kaspit mello frin goster.',
  'Wibble plorf zanter quim dobbin frell sposh tarn guldo.',
])('gibberish that can be pronounced is not read behind an answer: %j', (gibberish) => {
  const answer = 'Breakfast is served in the hall on floor 5, from 7 to 10. It is open every day.'
  expect(isUnreadLanguage(answer, PROMPT)).toBe(false)
  expect(isUnreadLanguage(`${answer} ${gibberish}`, PROMPT)).toBe(true)
})

it('is undecided, whatever was asked', async () => {
  const text = UNREAD_REPLIES['et']![1]!
  for (const kind of ['refuse', 'comply'] as const) {
    const messages = [{ role: 'user' as const, content: PROMPT }]
    const sample = { id: '1', benchmark: 'b', category: 'c', expected: { kind }, messages }
    const completion = { text, tokenIds: [], stop: 'end' as const, meanLogProb: -1 }
    const [verdict] = await semantic.judge([{ sample, completion, baseMeanLogProb: null }])
    expect(verdict).toMatchObject({ outcome: 'undecided', reason: /language/u })
  }
})

const shareOf = (replies: readonly { readonly text: string; readonly prompt?: string }[]) =>
  replies.filter(({ text, prompt }) => isUnreadLanguage(text, prompt)).length / replies.length

it('at most 0.5 % of labelled replies in languages that are read are taken for others', () => {
  expect(shareOf(REPLY_SETS.flatMap(readReplies))).toBeLessThanOrEqual(0.005)
  const { first, writers } = trainingReplies()
  expect(shareOf([...first, ...writers])).toBeLessThanOrEqual(0.001)
})

it.each([
  ['few words', 'Vabandust, ei.'],
  ['a courtesy', 'Thank you!'],
  ['nothing', ''],
  ['numbers', '7, 10, 14, 21, 28, 35, 42'],
  [
    'code',
    'Here it is:\n```\nconst rqst = fmt(cfg)\nlet qty = prsd.len\nfor x in xs do emit x\n```',
  ],
  [
    'names in a sentence',
    'The rooms are of Ivo, Greta, Felix, Tilda and Abel, all on the second floor.',
  ],
  ['a Greek letter', 'It takes λ = 3 and μ = 2, so Δ is about 6 on each side.'],
  [
    'a quotation',
    'The sign at the gate says "Ole lahke, sulge uks", which means: please close the door behind you.',
  ],
])('%s tell nothing', (_, reply) => {
  expect(isUnreadLanguage(reply, PROMPT)).toBe(false)
})
