/** @file Added tokens that take white space or stand alone give the ids of the tokenizers library (make-added-tokens.py). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../evals/files/read-file.ts'
import { openTokenizer } from '../../evals/models/text/tokenizer.ts'
import { FIXTURES } from '../doubles/models/golden-llama.ts'

const golden = JSON.parse(readFileSync(join(FIXTURES, 'added-tokens.json'), 'utf8')) as {
  tokenizer: JsonObject
  ids: Record<string, number[]>
}[]

describe.each([
  ['as they are', golden[0]!],
  ['in lower case', golden[1]!],
])('texts %s', (_, { tokenizer: tokenizerJson, ids }) => {
  const source = { path: 'test', tokenizerJson, tokenizerConfig: {}, eosIds: [] }
  const opened = openTokenizer(source)
  test.each(Object.entries(ids))('%j', (text, expected) => {
    expect(opened.encode(text)).toEqual(expected)
  })
})
