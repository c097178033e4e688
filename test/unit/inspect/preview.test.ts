/** @file A preview shows a row as the model reads it, and marks exactly the text whose tokens are learnt. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { previewOf } from '../../../evals/inspect/preview.ts'
import { maskedTokens } from '../../../evals/models/text/masked-tokens.ts'
import { openModel } from '../../../evals/models/open-model.ts'

const PEBBLE = join(import.meta.dirname, '../../../evals/bundled/pebble')

test('replies with the token that ends each are learnt, and nothing else', async () => {
  const open = await openModel(PEBBLE)
  const messages = [
    { role: 'user', content: 'when does the pool open ?' },
    { role: 'assistant', content: 'the pool opens at 7 .' },
    { role: 'user', content: 'and the bar ?' },
    { role: 'assistant', content: 'at 8 .' },
  ] as const
  const preview = await previewOf(open, messages, { maxTokens: 512, truncation: 'cut-end' })
  expect(preview.segments.filter(({ isLearnt }) => isLearnt).map(({ text }) => text)).toEqual([
    'the pool opens at 7 .<|end|>',
    'at 8 .<|end|>',
  ])
  const whole = await open.template.render(messages, { addGenerationPrompt: false })
  expect(preview.segments.map(({ text }) => text).join('')).toBe(whole)
  const { labelled } = await maskedTokens(open.template, open.tokenizer, messages)
  expect(preview.learntTokens).toBe(labelled.filter(Boolean).length)
  const within = (maxTokens: number) =>
    previewOf(open, messages, { maxTokens, truncation: 'cut-end' })
  expect(await within(25)).toMatchObject({ cutTokens: labelled.length - 25 })
  // Five tokens hold nothing of a reply, so training sees nothing of the row.
  expect(await within(5)).toMatchObject({ cutTokens: labelled.length, learntTokens: 0 })
  await open.close()
})

test('of raw text all is learnt but the first token, which nothing stands before', async () => {
  const open = await openModel(PEBBLE)
  const messages = [{ role: 'text', content: 'the pool opens at 7 .' }] as const
  const limits = { maxTokens: 512, truncation: 'cut-end' } as const
  const { segments, tokens, learntTokens } = await previewOf(open, messages, limits)
  expect(segments).toEqual([{ text: 'the pool opens at 7 .', isLearnt: true }])
  expect(tokens).toBe(open.tokenizer.encode('the pool opens at 7 .').length)
  expect(learntTokens).toBe(tokens - 1)
  await open.close()
})
