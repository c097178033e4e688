/** @file A preview shows a row as the model reads it, and marks exactly the text whose tokens are learnt. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { previewOf } from '../../../evals/audit/preview.ts'
import { maskedTokens } from '../../../evals/models/masked-tokens.ts'
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
  const preview = await previewOf(open, messages, 512)
  expect(preview.segments.filter(({ isLearnt }) => isLearnt).map(({ text }) => text)).toEqual([
    'the pool opens at 7 .<|end|>',
    'at 8 .<|end|>',
  ])
  const whole = await open.template.render(messages, { addGenerationPrompt: false })
  expect(preview.segments.map(({ text }) => text).join('')).toBe(whole)
  const { labelled } = await maskedTokens(open.template, open.tokenizer, messages)
  expect(preview.learntTokens).toBe(labelled.filter(Boolean).length)
  expect(await previewOf(open, messages, 5)).toMatchObject({ cutTokens: labelled.length - 5 })
  await open.close()
})
