/** @file SentencePiece's tokenizers as GGUF holds them: the ids that SentencePiece itself gives, read, and written again. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { GgufMetadata } from '../../evals/models/formats/gguf/family.ts'
import type { GgufValue } from '../../evals/models/formats/gguf/header.ts'
import { ggufTokenizer } from '../../evals/models/formats/gguf/tokenizer.ts'
import { tokenizerFields } from '../../evals/models/formats/gguf/tokenizer-write.ts'
import { openTokenizer } from '../../evals/models/text/tokenizer.ts'

interface Case {
  name: string
  startsWithSpace: boolean
  tokens: string[]
  scores: number[]
  kinds: number[]
  rows: [text: string, ids: number[], decoded: string][]
}
const { cases } = JSON.parse(
  readFileSync(new URL('./fixtures/sentencepiece.json', import.meta.url), 'utf8'),
) as { cases: Case[] }

const metadataOf = ({ tokens, scores, kinds, startsWithSpace }: Case): GgufMetadata =>
  new Map<string, GgufValue>([
    ['tokenizer.ggml.model', 'llama'],
    ['tokenizer.ggml.tokens', tokens],
    ['tokenizer.ggml.scores', scores],
    ['tokenizer.ggml.token_type', kinds],
    ['tokenizer.ggml.add_space_prefix', startsWithSpace],
    ['tokenizer.ggml.bos_token_id', 1],
    ['tokenizer.ggml.eos_token_id', 2],
  ])

describe.each(cases)('$name', (each) => {
  const source = ggufTokenizer(each.name, metadataOf(each))
  const tokenizer = openTokenizer(source)

  test.each(each.rows)('%j', (text, ids, decoded) => {
    expect(tokenizer.encode(text)).toEqual(ids)
    expect(tokenizer.decode(ids)).toBe(decoded)
  })

  test('what is written gives the same merges, kinds and ids', () => {
    const { fields, isNamed } = tokenizerFields(each.name, source, each.tokens.length)
    expect(isNamed).toBe(true)
    const again = ggufTokenizer(
      each.name,
      new Map(fields.map(([key, { value }]) => [key, value] as const)),
    )
    expect(again).toEqual({ ...source, path: each.name })
  })

  test('a split at spaces, where marks have taken their place, changes nothing (Gemma)', () => {
    const splits = {
      type: 'Split',
      pattern: { String: ' ' },
      behavior: 'MergedWithPrevious',
      invert: false,
    }
    const tokenizerJson = { ...source.tokenizerJson, pre_tokenizer: splits }
    const other = openTokenizer({ ...source, tokenizerJson })
    for (const [text, ids] of each.rows) expect(other.encode(text)).toEqual(ids)
    expect(tokenizerFields(each.name, { ...source, tokenizerJson }, 1).isNamed).toBe(true)
  })

  test('merges that scores cannot say are kept whole', () => {
    const { model, ...stages } = source.tokenizerJson as { model: { merges: unknown[] } }
    const changed = { ...stages, model: { ...model, merges: model.merges.slice(1) } }
    const written = tokenizerFields(each.name, { ...source, tokenizerJson: changed }, 1)
    expect(written.isNamed).toBe(false)
    const again = ggufTokenizer(
      each.name,
      new Map(written.fields.map(([key, { value }]) => [key, value] as const)),
    )
    expect(again.tokenizerJson).toEqual(JSON.parse(JSON.stringify(changed)))
  })
})

test('a piece that would take an hour to cut is refused', () => {
  const { tokens, kinds, ...rest } = cases[0]!
  const long = metadataOf({ ...rest, kinds, tokens: tokens.with(-1, 'a'.repeat(100_000)) })
  expect(() => ggufTokenizer('long', long)).toThrow(/a piece of 100000 letters/)
})
