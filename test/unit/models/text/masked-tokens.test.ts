/** @file What is learnt of a conversation: the replies and the token that ends each, found through the template. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fittedExamples } from '../../../../evals/arms/examples.ts'
import { openChatTemplate } from '../../../../evals/models/text/chat-template.ts'
import type { ClosableTemplate } from '../../../../evals/models/text/chat-template.ts'
import type { OpenModel } from '../../../../evals/models/checkpoint.ts'
import { maskedTokens } from '../../../../evals/models/text/masked-tokens.ts'
import { openModel } from '../../../../evals/models/open-model.ts'
import { FIXTURES } from '../../../doubles/models/golden-llama.ts'
import { writeTinyCheckpoint } from '../../../doubles/models/tiny-checkpoint.ts'

let folder: string
let model: OpenModel
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-mask-'))
  model = await openModel(await writeTinyCheckpoint(folder, { tokenizer: 'byte' }))
})
afterAll(async () => {
  await model.close()
  await rm(folder, { recursive: true, force: true })
})

const user = (content: string) => ({ role: 'user', content })
const assistant = (content: string) => ({ role: 'assistant', content })
const END = 2

/** The runs of labelled tokens, each as text with its end token shown. */
function labelledRuns({ ids, labelled }: { ids: number[]; labelled: boolean[] }): string[] {
  const runs: number[][] = []
  labelled.forEach((on, at) => {
    if (!on) return
    if (at === 0 || !labelled[at - 1]) runs.push([])
    runs.at(-1)!.push(ids[at]!)
  })
  return runs.map((run) => {
    const text = model.tokenizer.decode(run)
    return run.at(-1) === END ? `${text}<end>` : text
  })
}

test('labels each reply and its end, nothing else', async () => {
  const chat = [
    { role: 'system', content: 'the hotel' },
    user('the pool?'),
    assistant('the pool is open'),
    user('assistant\nthe pool'),
    assistant(' two\n\nlines '),
  ]
  const masked = await maskedTokens(model.template, model.tokenizer, chat)
  expect(labelledRuns(masked)).toEqual(['the pool is open<end>', ' two\n\nlines <end>'])
  const full = await model.template.render(chat, { addGenerationPrompt: false })
  expect(masked.ids).toEqual(model.tokenizer.encode(full))
  expect(masked.labelled.length).toBe(masked.ids.length)
})

test('an empty reply is its end alone, and no reply labels nothing', async () => {
  const empty = await maskedTokens(model.template, model.tokenizer, [user('a'), assistant('')])
  expect(labelledRuns(empty)).toEqual(['<end>'])
  const none = await maskedTokens(model.template, model.tokenizer, [user('a')])
  expect(labelledRuns(none)).toEqual([])
})

async function withTemplate<T>(text: string, use: (template: ClosableTemplate) => Promise<T>) {
  const template = await openChatTemplate({ path: 'm', text, source: 'test', specialTokens: {} })
  return use(template).finally(() => template.close())
}
const CHAT = [user('pool'), assistant('open')]

test('a template without end tokens labels the whole turn', async () => {
  const text =
    '{% for m in messages %}{{ m.role }}: {{ m.content }}\n\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}'
  const text2 = text.replaceAll(': ', ':')
  const masked = await withTemplate(text2, (template) =>
    maskedTokens(template, model.tokenizer, CHAT),
  )
  expect(labelledRuns(masked)).toEqual(['open\n\n'])
})

test.each([
  [
    'whose beginning depends on its length',
    '{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}',
    2,
  ],
  [
    'that has no generation prompt of its own',
    '{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}{% if add_generation_prompt %}[bot]{% endif %}',
    2,
  ],
  [
    'whose prompt ends inside a token',
    // " the" is one token: a prompt that ends in " t" is no prefix of its ids.
    '{% for m in messages %}{% if m.role == "assistant" %} the{{ m.content }}{% else %}{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %} t{% endif %}',
    2,
  ],
])('a template %s is refused', async (_, text, turn) => {
  const failure = withTemplate(text, (template) => maskedTokens(template, model.tokenizer, CHAT))
  await expect(failure).rejects.toMatchObject({
    code: 'template.not-a-prefix',
    message: expect.stringContaining(`turn ${turn}`) as string,
  })
})

test('rows whose replies cannot be located are an error, or counted and left out', async () => {
  const hiding =
    '{% if messages[-1].content == "gone" %}2{% endif %}{% for m in messages %}{{ m.content }}{% endfor %}'
  const conversations = ['gone', 'open'].map((reply) => [
    { role: 'user' as const, content: 'the pool?' },
    { role: 'assistant' as const, content: reply },
  ])
  const data = { title: 'rows', conversations, kinds: undefined }
  const fitted = (skipUnlocated: boolean) =>
    withTemplate(hiding, (template) => {
      const limits = { maxTokens: 64, truncation: 'cut-end', skipUnlocated } as const
      const open = { template, tokenizer: model.tokenizer }
      return fittedExamples(open, data, limits, new AbortController().signal)
    })
  await expect(fitted(false)).rejects.toMatchObject({ code: 'template.not-a-prefix' })
  const { examples, unlocated } = await fitted(true)
  expect([examples.length, unlocated]).toEqual([1, 1])
})

const published = JSON.parse(readFileSync(join(FIXTURES, 'templates.json'), 'utf8')) as {
  templates: Record<string, string>
}
const TURNS = [user('pool'), assistant('the pool is open'), user('and the pool'), assistant('open')]
const THOUGHT = '<think>\nit is open\n</think>\n\n'

/** The labelled text, decoded: the byte tokenizer has no special tokens but its own. */
const learnt = (name: string, messages: typeof TURNS) =>
  withTemplate(published.templates[name]!, async (template) => {
    const masked = await maskedTokens(template, model.tokenizer, messages)
    const full = await template.render(messages, { addGenerationPrompt: false })
    expect(masked.ids).toEqual(model.tokenizer.encode(full))
    return labelledRuns(masked)
  })

test.each([
  ['trl/qwen3', ['the pool is open', '<think>\n\n</think>\n\nopen']],
  ['trl/phi3', ['the pool is open', 'open']],
  ['trl/deepseek_r1_distill', ['the pool is open', 'open']],
  ['axolotl/chatml', ['the pool is open', 'open']],
])('each of several replies is located in %s', async (name, runs) => {
  const found = await learnt(name, TURNS)
  expect(found).toHaveLength(2)
  // Of a template whose beginning stays the same the end of the turn is learnt too.
  found.forEach((run, i) => expect(run.startsWith(runs[i]!), run).toBe(true))
})

test.each(['trl/qwen3', 'trl/deepseek_r1_distill'])(
  'what %s hides of an earlier thought is not learnt',
  async (name) => {
    const thinking = [TURNS[0]!, assistant(`${THOUGHT}the pool is open`), ...TURNS.slice(2)]
    const [first] = await learnt(name, thinking)
    expect(first!.trimStart().startsWith('the pool is open'), JSON.stringify(first)).toBe(true)
  },
)

test('the marks of a template decide what is learnt', async () => {
  const found = await learnt('trl/llama3_training', TURNS)
  expect(found).toEqual(['the pool is open<|eot_id|>', 'open<|eot_id|>'])
})

test('a reply that repeats the question is found after it', async () => {
  const [only] = await learnt('trl/qwen3', [user('open'), assistant('open')])
  expect(only!.startsWith('<think>\n\n</think>\n\nopen')).toBe(true)
})
