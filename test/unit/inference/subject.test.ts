/** @file A local subject: prompts through the template, answers under their own index, texts scored but for their first token. */
import { expect, test } from 'vitest'
import type { SubjectIdentity } from '../../../evals/contract/rows.ts'
import { openCached } from '../../../evals/inference/cached-graph.ts'
import { localSubject } from '../../../evals/inference/subject.ts'
import type { ChatTemplate, Tokenizer } from '../../../evals/models/checkpoint.ts'
import { tinyModel } from '../../doubles/models/tiny-model.ts'

/** One token a letter, `a` = 1; `.` ends. */
const tokenizer: Tokenizer = {
  digest: 'letters',
  vocabSize: 32,
  endIds: [31],
  padId: 0,
  encode: (text) => Array.from(text, (letter) => letter.charCodeAt(0) - 96),
  decode: (ids) => ids.map((id) => String.fromCharCode(96 + id)).join(''),
}
const template: ChatTemplate = {
  digest: 'none',
  source: 'test',
  render: async (messages, { addGenerationPrompt }) =>
    messages.map(({ content }) => content).join('') + (addGenerationPrompt ? 'z' : ''),
}

test('answers come with their prompt’s index and ids, and scores leave out the first token', async () => {
  const tiny = tinyModel()
  const state = { model: tiny.model, frozen: tiny.weights }
  const session = await openCached(state, { name: 'cpu', threads: 1 }, 64)
  const subject = localSubject({
    identity: {} as SubjectIdentity,
    open: { tokenizer, template },
    session,
    varying: {},
    batchSize: 2,
  })
  const { signal } = new AbortController()
  const contents = ['b', 'longest', 'mid', 'ab']
  const prompts = contents.map((content) => ({
    key: content,
    messages: [{ role: 'user' as const, content }],
  }))
  const seen = new Map<number, string>()
  const decoding = { maxNewTokens: 4, temperature: 0, seed: 0 }
  for await (const { index, completion, promptIds } of subject.generate(
    prompts,
    decoding,
    signal,
  )) {
    expect(promptIds).toEqual(tokenizer.encode(`${contents[index]}z`))
    expect(completion.text).toBe(tokenizer.decode(completion.tokenIds))
    for await (const alone of subject.generate([prompts[index]!], decoding, signal))
      expect(alone.completion).toEqual(completion)
    seen.set(index, completion.text)
  }
  expect([...seen.keys()].sort()).toEqual([0, 1, 2, 3])
  const texts = ['abc', '', 'q'].map((text, i) => ({ key: String(i), text }))
  const scores = await subject.logProbs(texts, signal)
  expect(scores.map(({ length }) => length)).toEqual([2, 0, 0])
  expect(scores[0]!.every((logProb) => logProb < 0)).toBe(true)
  await session.release()
})
