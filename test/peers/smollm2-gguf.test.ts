/** @file The real SmolLM2 against the reference: token ids, chat templates and every weight. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OpenModel } from '../../evals/models/checkpoint.ts'
import { openModel } from '../../evals/models/open-model.ts'
import { SMOLLM2_MISSING, findSmolLm2, oraclePython } from './smollm2.ts'

interface Fixture {
  texts: { text: string; ids: number[]; decoded: string }[]
  chats: {
    messages: { role: string; content: string }[]
    addGenerationPrompt: boolean
    text: string
    ids: number[]
  }[]
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const fixture = JSON.parse(
  readFileSync(here('../golden/fixtures/smollm2-tokenizer.json'), 'utf8'),
) as Fixture
const path = findSmolLm2()

describe.skipIf(path === undefined)(path ? 'SmolLM2' : `SmolLM2 (${SMOLLM2_MISSING})`, () => {
  let model: OpenModel
  beforeAll(async () => {
    model = await openModel(path!)
  })
  afterAll(() => model.close())

  test(`gives the ids of ${fixture.texts.length} texts, and the texts of the ids`, () => {
    const { tokenizer } = model
    for (const { text, ids, decoded } of fixture.texts) {
      expect({ text, ids: tokenizer.encode(text) }).toEqual({ text, ids })
      expect({ ids, decoded: tokenizer.decode(ids) }).toEqual({ ids, decoded })
    }
  })

  test.each(fixture.chats)('renders a conversation as the reference does (%#)', async (chat) => {
    const text = await model.template.render(chat.messages, chat)
    expect(text).toBe(chat.text)
    expect(model.tokenizer.encode(text)).toEqual(chat.ids)
  })

  test('reads every weight as the reference loads it', { timeout: 600_000 }, async (context) => {
    const script = here('./smollm2-weights.py')
    const asked = spawnSync(oraclePython(), [script, path!], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    })
    if (asked.status !== 0) context.skip('needs a Python with transformers, torch and gguf')
    const expected = JSON.parse(asked.stdout) as Record<string, { shape: number[]; sha256: string }>
    const found: typeof expected = {}
    for (const [name, { shape }] of model.checkpoint.weights) {
      const data = model.checkpoint.read(name)
      const sha256 = createHash('sha256').update(new Uint8Array(data.buffer)).digest('hex')
      found[name] = { shape: [...shape], sha256 }
    }
    expect(found).toEqual(expected)
  })
})
