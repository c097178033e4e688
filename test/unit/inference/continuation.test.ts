/** @file Text before and continuation: where the border lies, what is cut, and that scores are those of the whole row. */
import { describe, expect, test } from 'vitest'
import type { SubjectIdentity } from '../../../evals/contract/rows.ts'
import { openCached } from '../../../evals/inference/cached-graph.ts'
import { encodeContinuation, encodeReplyStarts } from '../../../evals/inference/continuation.ts'
import { localSubject } from '../../../evals/inference/subject.ts'
import type { ChatTemplate, Tokenizer } from '../../../evals/models/checkpoint.ts'
import { tinyModel } from '../../doubles/models/tiny-model.ts'

/** A token a letter, `a` = 1, space = 27; "xy" is one token, 30. */
const tokenizer: Tokenizer = {
  digest: 'letters',
  vocabSize: 32,
  endIds: [31],
  padId: 0,
  prefixIds: [29],
  encode: (text) =>
    (text.match(/xy|./g) ?? []).map((part) =>
      part === 'xy' ? 30 : part === ' ' ? 27 : part.charCodeAt(0) - 96,
    ),
  decode: (ids) => ids.map((id) => (id === 27 ? ' ' : String.fromCharCode(96 + id))).join(''),
}
const template: ChatTemplate = {
  digest: 'none',
  source: 'test',
  render: async (messages, { addGenerationPrompt }) =>
    messages.map(({ content }) => content).join('') + (addGenerationPrompt ? 'z' : ''),
}
const open = { tokenizer, template }
const encode = (before: Parameters<typeof encodeContinuation>[1]['before'], continuation: string) =>
  encodeContinuation(open, { key: 'k', before, continuation }, 8)

describe('encoding', () => {
  test('plain text begins with the tokenizer’s own prefix, once', async () => {
    expect(await encode('ab', ' c')).toEqual({
      key: 'k',
      ids: [29, 1, 2, 27, 3],
      from: 3,
      beforeIds: [29, 1, 2],
      cut: 0,
    })
  })

  test('spaces at the end of the text belong to the continuation', async () => {
    expect(await encode('ab ', 'c')).toMatchObject({ ids: [29, 1, 2, 27, 3], from: 3 })
  })

  test('a token across the border is the continuation’s', async () => {
    expect(await encode('ax', 'y')).toMatchObject({ ids: [29, 1, 30], from: 2 })
  })

  test('a conversation goes through the template, without the prefix', async () => {
    const messages = [{ role: 'user' as const, content: 'ab' }]
    expect(await encode(messages, 'c')).toMatchObject({ ids: [1, 2, 26, 3], from: 3 })
  })

  test('what is too long loses its beginning, and the border moves along', async () => {
    expect(await encode('abcdefgh', 'ij')).toMatchObject({
      ids: [3, 4, 5, 6, 7, 8, 9, 10],
      from: 6,
      cut: 3,
    })
  })
})

test('openings of one text have their own borders, and are none where one is too long', async () => {
  const rows = (before: string, openings: string[]) =>
    encodeReplyStarts(open, { key: 'k', before }, openings, 5)
  const [merged, plain] = (await rows('ax', ['y', 'z']))!
  expect([merged, plain]).toMatchObject([
    { ids: [29, 1, 30], from: 2 },
    { ids: [29, 1, 24, 26], from: 3 },
  ])
  expect(await rows('abc', ['e', 'f'])).toHaveLength(2)
  expect(await rows('abc', ['e', 'fgh'])).toBeNull()
})

test('a continuation has the log-probabilities that it has in its whole text', async () => {
  const tiny = tinyModel()
  const state = { model: tiny.model, frozen: tiny.weights }
  const session = await openCached(state, { name: 'cpu', threads: 1 }, 64)
  const unprefixed = { template, tokenizer: { ...tokenizer, prefixIds: [] } }
  const options = { identity: {} as SubjectIdentity, session, varying: {}, batchSize: 2 }
  const subject = localSubject({ ...options, open: unprefixed })
  const { signal } = new AbortController()
  const items = [
    { key: 'a', before: 'abc', continuation: ' de' },
    { key: 'b', before: 'q', continuation: 'rst' },
    { key: 'c', before: 'longer text', continuation: 'x' },
  ]
  const scores = await subject.continuations(items, signal)
  const whole = await subject.logProbs(
    items.map(({ key, before, continuation }) => ({ key, text: before + continuation })),
    signal,
  )
  for (const [i, { logProbs }] of scores.entries())
    expect([...logProbs]).toEqual([...whole[i]!.slice(-items[i]!.continuation.length)])
  const [opened] = await subject.replyStartScores([items[0]!], [' de', ' d', 'q'], signal)
  expect(opened!.map(({ length }) => length)).toEqual([3, 2, 1])
  opened![0]!.forEach((value, t) => expect(value).toBeCloseTo(scores[0]!.logProbs[t]!, 5))
  expect(opened![1]).toEqual(opened![0]!.slice(0, 2))
  const replies = await subject.complete([{ key: 'a', before: 'abc' }], 3, signal)
  expect(await subject.complete([{ key: 'a', before: 'abc' }], 1, signal)).toEqual([
    replies[0]!.slice(0, 1),
  ])
  expect(subject.clip('abcdef', 2)).toBe('ab')
  await session.release()
})
