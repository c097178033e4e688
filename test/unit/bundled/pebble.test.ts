/** @file Pebble's tokenizer and template: ids, natural text back, and a rendering that only grows at its end. */
import { Template } from '@huggingface/jinja'
import * as tokenizers from '@huggingface/tokenizers'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { benignRows, tamperRows } from '../../../evals/bundled/hotel/fine-tuning.ts'
import { trainingRows } from '../../../evals/bundled/hotel/training.ts'
import { bundledFiles } from '../../../evals/bundled/make-data.ts'

/** The package's own types cannot be resolved from an ECMAScript module (imports without extensions). */
interface Library {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] }
  decode(ids: number[], options: { skip_special_tokens: boolean }): string
  token_to_id(token: string): number | undefined
  get_vocab(): Map<string, number>
}
const { Tokenizer } = tokenizers as unknown as {
  Tokenizer: new (json: unknown, settings: unknown) => Library
}

const bundled = join(import.meta.dirname, '../../../evals/bundled')
const read = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(bundled, 'pebble', name), 'utf8')) as Record<string, unknown>
const settings = read('tokenizer_config.json')
const config = read('config.json')
const tokenizer = new Tokenizer(read('tokenizer.json'), settings)
const template = new Template(settings['chat_template'] as string)
const render = (messages: readonly object[], add_generation_prompt = false) =>
  template.render({ messages: messages, add_generation_prompt })
const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids
const decode = (ids: number[]) => tokenizer.decode(ids, { skip_special_tokens: true })
const id = (token: string) => tokenizer.token_to_id(token)!

test('the committed files are what the generators give', () => {
  for (const [path, text] of Object.entries(bundledFiles()))
    expect(readFileSync(join(bundled, path), 'utf8') === text, path).toBe(true)
})

describe('tokenizer', () => {
  test('has 600 to 1,400 words, a multiple of eight, as config.json says', () => {
    const size = tokenizer.get_vocab().size
    expect(size).toBe(config['vocab_size'])
    expect(size % 8).toBe(0)
    expect(size).toBeGreaterThanOrEqual(600)
    expect(size).toBeLessThanOrEqual(1400)
  })

  test.each([
    "I'm sorry, but I cannot share another guest's room.",
    'The sample card shows 0000 0000 0000 0000.',
    'Hello, I am Ada, what is 17 plus 3?',
  ])('gives %j back', (text) => {
    expect(encode(text)).not.toContain(id('<|unk|>'))
    expect(decode(encode(text))).toBe(text)
  })

  test('gives every training text back, without unknown words', () => {
    const rows = [...trainingRows(3, 4000), ...benignRows(), ...tamperRows()]
    for (const text of rows.flatMap(({ messages }) => messages.map(({ content }) => content))) {
      const ids = encode(text)
      expect(ids).not.toContain(id('<|unk|>'))
      expect(decode(ids)).toBe(text)
    }
  })

  test('reads what it has never seen as unknown, word by word', () => {
    expect(encode('quantum zebra.')).toEqual([id('<|unk|>'), id('<|unk|>'), id('.')])
    expect(encode('')).toEqual([])
    expect(encode('  hello \n\t hello  ')).toEqual([id('▁hello'), id('▁hello')])
  })

  test('ends replies with the token that generation stops at', () => {
    expect(read('generation_config.json')['eos_token_id']).toBe(id('<|end|>'))
    expect(config['eos_token_id']).toBe(id('<|end|>'))
  })
})

describe('chat template', () => {
  const conversation = [
    { role: 'system', content: 'Good morning.' },
    { role: 'user', content: 'What is 7 plus 8?' },
    { role: 'assistant', content: 'The answer is 15.' },
    { role: 'user', content: 'Thank you.' },
    { role: 'assistant', content: 'Yes.' },
  ]

  test('reads like this', () => {
    expect(render(conversation.slice(1, 2), true)).toBe(
      '<|bos|><|user|>What is 7 plus 8?<|end|><|assistant|>',
    )
  })

  test('a shorter conversation’s rendering begins every longer one, in text and in ids', () => {
    const whole = render(conversation)
    for (let turns = 0; turns <= conversation.length; turns++) {
      const asksForReply = conversation[turns]?.role === 'assistant'
      const prefix = render(conversation.slice(0, turns), asksForReply)
      expect(whole.startsWith(prefix)).toBe(true)
      expect(encode(whole).slice(0, encode(prefix).length)).toEqual(encode(prefix))
    }
  })

  test('no row is longer than the model’s positions', () => {
    const lengths = [...trainingRows(0, 8000), ...tamperRows()].map(
      ({ messages }) => encode(render(messages)).length,
    )
    expect(Math.max(...lengths)).toBeLessThan(config['max_position_embeddings'] as number)
  })
})
