/** @file A subject that thinks: its answer is what stands after the thought, and both have a budget. */
import { expect, test } from 'vitest'
import type { SubjectIdentity } from '../../../evals/contract/rows.ts'
import { longestReply } from '../../../evals/inference/decoding.ts'
import { tokenSubject } from '../../../evals/inference/subject.ts'
import type { TokenModel } from '../../../evals/inference/token-model.ts'
import type { ChatTemplate } from '../../../evals/models/checkpoint.ts'
import type { Thinking } from '../../../evals/models/text/thoughts.ts'
import { wordTokenizer } from '../../doubles/models/word-tokenizer.ts'

const tokenizer = wordTokenizer()
const markers = { open: '<think>', close: '</think>' }

const templateOf = (thinking: Thinking | undefined, ending = ''): ChatTemplate => ({
  digest: 'test',
  source: 'test',
  ...(thinking && { thinking }),
  render: async (messages) => `${messages.map(({ content }) => content).join(' ')}\n${ending}`,
})

/** Writes `text` until its budget is used up. */
const writes = (text: string): TokenModel => ({
  async *generate(prompts, { decoding }) {
    for (const [index, { budget }] of prompts.entries()) {
      const isEnough = budget?.() ?? (() => false)
      const tokenIds: number[] = []
      for (const id of tokenizer.encode(text)) {
        tokenIds.push(id)
        if (isEnough(id) || tokenIds.length === longestReply(decoding)) break
      }
      const stop = tokenIds.length < tokenizer.encode(text).length ? 'length' : 'end'
      yield [{ index, tokenIds, writtenIds: tokenIds, stop, meanLogProb: -1 }]
    }
  },
  score: () => Promise.reject(new Error('not asked')),
  scoreTree: () => Promise.reject(new Error('not asked')),
})

async function reply(template: ChatTemplate, text: string, decoding = {}) {
  const model = writes(text)
  const options = { identity: {} as SubjectIdentity, open: { tokenizer, template }, model }
  const subject = tokenSubject({ ...options, maxPositions: 4096 })
  const prompts = [{ key: 'one', messages: [{ role: 'user' as const, content: 'Hello' }] }]
  const asked = { maxNewTokens: 6, temperature: 0, seed: 0, ...decoding }
  const replies = []
  for await (const each of subject.generate(prompts, asked, new AbortController().signal))
    replies.push(each.completion)
  return replies[0]!
}

const ON = templateOf({ markers, mode: 'on' })
const LONG = 'a '.repeat(2000)

test('an answer is cut at its own limit, however long the thought was', async () => {
  const { text, thought, stop } = await reply(
    ON,
    `<think>${'a '.repeat(100)}</think> ${'b '.repeat(9)}`,
  )
  expect([text, stop, thought?.isFinished]).toEqual(['b b b', 'length', true])
})

test('an endless thought ends at 1024 tokens, or at the limit that is given', async () => {
  const usual = await reply(ON, `<think>${LONG}`)
  expect([usual.text, usual.tokenIds.length, usual.thought?.isFinished]).toEqual(['', 1024, false])
  const given = await reply(ON, `<think>${LONG}`, { maxThinkingTokens: 50 })
  expect(given.tokenIds).toHaveLength(50)
})

test('a model that does not think has one budget', async () => {
  const { text, thought } = await reply(templateOf(undefined), 'b '.repeat(9))
  expect([text, thought]).toEqual(['b b b ', undefined])
})

test('a prompt that leaves a thought open begins the reply inside it', async () => {
  const template = templateOf({ markers, mode: 'on' }, '<think>\n')
  const { text, thought } = await reply(template, 'The guest asks.</think>At seven.')
  expect([text, thought?.text]).toEqual(['At seven.', 'The guest asks.'])
})
