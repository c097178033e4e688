/** @file Texts scored by a server that scores what it is given: a long text in windows, each of its tokens once. */
import { describe, expect, test } from 'vitest'
import { endingOf } from '../../../../evals/measure/served/scoring.ts'
import { servedSubject } from '../../../../evals/measure/served/subject.ts'
import { servedAt } from '../../../doubles/served/asking.ts'
import { serveDouble, tokensOf } from '../../../doubles/served/server.ts'

const TEXT = Array.from({ length: 60 }, (_, i) => 'word'.repeat(1 + (i % 3))).join(' ')
const says = () => ({ text: 'Yes.' })
async function* piecesOf(text: string) {
  for (let at = 0; at < text.length; at += 7) yield text.slice(at, at + 7)
}
const rolling = (url: string, capabilities: Parameters<typeof servedAt>[1]) =>
  servedSubject(servedAt([url], capabilities)).rolling(piecesOf(TEXT), {
    window: 64,
    onProgress: () => undefined,
    signal: new AbortController().signal,
  })

test('every token but the first of a long text is scored once, and none after a context that is too long', async () => {
  const { url, calls, close } = await serveDouble({ scores: true, says })
  const found = await rolling(url, { givenLogProbs: 'echo' })
  const [, ...others] = tokensOf(TEXT)
  expect(found.tokens).toBe(others.length)
  // The double's word of length l has the log-probability −l, the space before it counted.
  expect(found.logProb).toBe(-others.reduce((sum, token) => sum + token.length, 0))
  expect(found.windows).toBe(calls.length)
  expect(found.windows).toBeGreaterThan(3)
  const longest = Math.max(...calls.map(({ body }) => body!.prompt!.length))
  expect(longest).toBeLessThanOrEqual(2 * 64)
  await close()
})

test('tokens that are not those of the text end in an error', async () => {
  const { url, close } = await serveDouble({ scores: (text) => text.replaceAll('w', 'v'), says })
  await expect(rolling(url, { givenLogProbs: 'echo' })).rejects.toMatchObject({
    code: 'served.failed',
  })
  await close()
})

describe('a word that the vocabulary lacks', () => {
  const pieces = (...texts: string[]) =>
    texts.map((text, i) => ({ text, logProb: i === 0 ? null : -i }))
  const before = ['The', ' bird', ' is', ' a']

  test.each([' [UNK]', '<unk>', ''])(
    'written as “%s”, it is scored with the words beside it',
    (unknown) => {
      expect([...endingOf(pieces(...before, unknown), ' quetzal')]).toEqual([-4])
      expect([...endingOf(pieces(...before, ' rare', unknown), ' rare quetzal')]).toEqual([-4, -5])
      expect([...endingOf(pieces(...before, unknown, ' bird'), ' quetzal bird')]).toEqual([-4, -5])
    },
  )

  test('the answer to another text is still refused', () => {
    expect(() => endingOf(pieces(...before, ' rare', ' [UNK]'), ' common quetzal')).toThrow(
      'not those',
    )
    expect(() => endingOf(pieces(...before, ' swan'), ' quetzal')).toThrow('not those')
  })
})
