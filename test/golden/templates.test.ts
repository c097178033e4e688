/** @file Do templates say what transformers’ say? 41 templates of published families on 30 conversations each (make-templates.py). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../evals/files/digest.ts'
import type { ChatTemplate } from '../../evals/models/checkpoint.ts'
import { openChatTemplate } from '../../evals/models/text/chat-template.ts'
import { parseTemplate, renderTemplate } from '../../evals/models/text/jinja/interpreter.ts'
import { FIXTURES } from '../doubles/models/golden-llama.ts'

interface Settings {
  readonly add_generation_prompt: boolean
  readonly enable_thinking?: boolean
}
type Conversation = Parameters<ChatTemplate['render']>[0]

const golden = JSON.parse(readFileSync(join(FIXTURES, 'templates.json'), 'utf8')) as {
  special: Record<string, string>
  conversations: Conversation[]
  settings: Settings[]
  thinking: Settings[]
  templates: Record<string, string>
  digests: Record<string, (string | null)[]>
  modes: Record<string, (string | null)[][]>
  texts: Record<string, string[]>
  values: Record<string, unknown>
  expressions: Record<string, string | null>
}

const open = (name: string, { enable_thinking: thinks }: Pick<Settings, 'enable_thinking'>) =>
  openChatTemplate({
    path: name,
    text: golden.templates[name]!,
    source: 'test',
    specialTokens: golden.special,
    variables: thinks === undefined ? {} : { enable_thinking: thinks },
  })

/** One thread for each state of `enable_thinking`. */
async function renderers(name: string) {
  const opened = new Map<boolean | undefined, Awaited<ReturnType<typeof open>>>()
  for (const thinks of [undefined, false, true])
    opened.set(thinks, await open(name, thinks === undefined ? {} : { enable_thinking: thinks }))
  return {
    render: (messages: Conversation, settings: Settings): Promise<string | null> =>
      opened
        .get(settings.enable_thinking)!
        .render(messages, { addGenerationPrompt: settings.add_generation_prompt })
        .catch(() => null),
    close: () => Promise.all([...opened.values()].map((each) => each.close())),
  }
}

const digestOf = (text: string | null) => (text === null ? null : sha256(text).slice(0, 16))

test.each(Object.keys(golden.templates))('%s renders as by Jinja2', async (name) => {
  const { render, close } = await renderers(name)
  const found: (string | null)[] = []
  for (const [i, messages] of golden.conversations.entries())
    found.push(digestOf(await render(messages, golden.settings[i]!)))
  await close()
  expect(found).toEqual(golden.digests[name])
})

/** What `f` and `x` are, which no plain number of JavaScript says: floats that are whole. */
const FLOATS = '{% set f = 2.0 %}{% set x = 1.0 %}'

test.each(Object.entries(golden.expressions))('%s is what Jinja2 makes of it', (text, expected) => {
  const rendered = () =>
    renderTemplate(parseTemplate(FLOATS + text), {
      true: true,
      false: false,
      none: null,
      True: true,
      False: false,
      None: null,
      ...golden.values,
    })
  if (expected === null) expect(rendered).toThrow()
  else expect(rendered()).toBe(expected)
})

describe.each(Object.keys(golden.modes))('%s in both modes of thinking', (name) => {
  test('gives transformers’ prompts', async () => {
    const { render, close } = await renderers(name)
    for (const [i, messages] of golden.conversations.entries())
      for (const [j, settings] of golden.thinking.entries())
        expect(digestOf(await render(messages, settings)), `${i}, ${j}`).toBe(
          golden.modes[name]![i]![j],
        )
    for (const [j, settings] of golden.thinking.entries())
      expect(await render(golden.conversations[3]!, settings)).toBe(golden.texts[name]![j])
    await close()
  })

  test('says its mode and has a digest of its own', async () => {
    const [on, off, unsaid] = await Promise.all([
      open(name, { enable_thinking: true }),
      open(name, { enable_thinking: false }),
      open(name, {}),
    ])
    expect([on, off, unsaid].map(({ thinking }) => thinking?.mode)).toEqual(['on', 'off', 'on'])
    expect(new Set([on, off, unsaid].map(({ digest }) => digest)).size).toBe(3)
    await Promise.all([on, off, unsaid].map((each) => each.close()))
  })
})
