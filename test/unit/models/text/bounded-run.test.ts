/** @file A tokenizer that would not end is ended by name; those of people are not slowed. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { VERBS } from '../../../../evals/bin/verbs.ts'
import { expressionsIn, isPlain, longWord } from '../../../../evals/models/text/bounded-run.ts'
import { openTokenizer } from '../../../../evals/models/text/tokenizer.ts'
import { processorMs } from '../../../doubles/processor-time.ts'
import { freshFolder, runCommand } from '../../../doubles/runs/command-line.ts'

/** Of the families that are published most: GPT-2, Llama 3 and Qwen, GPT-4o and OLMo, DeepSeek, BERT's digits. */
const PUBLISHED = [
  String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_${'`'}{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  String.raw`\p{N}{1,3}`,
  ' {2,}',
]
const HOSTILE = [
  '(([a-z ,])+)+!$',
  '(a|a)*b',
  '(?:a?){40}a{40}(a|b)*',
  String.raw`(\w+)\s+\1`,
  String.raw`\w*\w*\w*\w*\w*!`,
  String.raw`(?:(?:(?:x))+)+y`,
  'x'.repeat(5000),
]

test.each(PUBLISHED)('%s is plain', (expression) => expect(isPlain(expression)).toBe(true))
test.each(HOSTILE)('%s is not', (expression) => expect(isPlain(expression)).toBe(false))

test('expressions are found wherever stages keep them', () => {
  const split = { type: 'Split', pattern: { Regex: 'a+' } }
  const stage = { type: 'Sequence', pretokenizers: [split, { type: 'Sequence', parts: [split] }] }
  expect(expressionsIn(stage)).toEqual(['a+', 'a+'])
  expect(expressionsIn(null)).toEqual([])
})

describe('a tokenizer whose expression takes exponential time', () => {
  const source = (pattern: string) => ({
    path: 'stranger',
    tokenizerJson: {
      model: { type: 'WordLevel', vocab: { a: 0, '?': 1 }, unk_token: '?' },
      pre_tokenizer: { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated' },
    },
    tokenizerConfig: {},
    eosIds: [],
  })

  test('is stopped by name after seconds of processor time, and answers the next text', () => {
    const tokenizer = openTokenizer(source('(([a-z ,])+)+!$'))
    const before = processorMs()
    expect(() => tokenizer.encode('a'.repeat(60))).toThrow(
      expect.objectContaining({ code: 'tokenizer.stopped' }),
    )
    const spent = processorMs() - before
    expect(spent).toBeGreaterThan(1500)
    expect(spent).toBeLessThan(60_000)
    expect(tokenizer.encode('a')).toEqual([0])
  })

  test('a word of ten million characters is refused at once; long texts and scripts without spaces are not', () => {
    const tokenizer = openTokenizer(source('a'))
    expect(() => tokenizer.encode(`b ${'a'.repeat(10_000_000)} b`)).toThrow(
      /a word of 10000000 characters; at most 1048576/,
    )
    expect(longWord('a'.repeat(2 ** 20))).toBeUndefined()
    expect(longWord(`${'word '.repeat(500_000)}end`)).toBeUndefined()
    expect(longWord(`${'word '.repeat(500_000)}${'x'.repeat(2 ** 20 + 1)}`)).toBeDefined()
  })

  test('eval of such a model ends with that error', async () => {
    const model = join(freshFolder(), 'model')
    cpSync('evals/bundled/pebble', model, { recursive: true })
    const file = join(model, 'tokenizer.json')
    const json = JSON.parse(readFileSync(file, 'utf8')) as { pre_tokenizer: unknown }
    const hostile = { ...source('(([a-zA-Z ,▁])+)+!$').tokenizerJson.pre_tokenizer }
    json.pre_tokenizer = { type: 'Sequence', pretokenizers: [hostile, json.pre_tokenizer] }
    writeFileSync(file, JSON.stringify(json))
    const words = ['eval', '--model', model, '--suite', 'house', '--out-dir', freshFolder()]
    const { code, stderr } = await runCommand([...words, '--quiet'], {}, VERBS)
    expect(code).toBe(1)
    expect(stderr).toMatch(/The tokenizer of .* was stopped on a text of \d+ characters/)
  })
})
