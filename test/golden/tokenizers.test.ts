/** @file Small tokenizers of each supported kind against the reference library: ids of every text, and texts of the ids. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../evals/files/read-file.ts'
import { openTokenizer } from '../../evals/models/text/tokenizer.ts'

interface Case {
  name: string
  tokenizer: JsonObject
  rows: [text: string, ids: number[], decoded: string][]
}
const casesIn = <T>(file: string) =>
  (
    JSON.parse(readFileSync(new URL(`./fixtures/${file}`, import.meta.url), 'utf8')) as {
      cases: T[]
    }
  ).cases
const cases = casesIn<Case>('tokenizers.json')

describe.each(cases)('$name', ({ name, tokenizer: tokenizerJson, rows }) => {
  const tokenizer = openTokenizer({ path: name, tokenizerJson, tokenizerConfig: {}, eosIds: [] })

  test.each(rows)('%j', (text, ids, decoded) => {
    expect(tokenizer.encode(text)).toEqual(ids)
    expect(tokenizer.decode(ids)).toBe(decoded)
  })
})

interface EncoderCase extends Omit<Case, 'rows'> {
  rows: [text: string, ids: number[], decoded: string, whole: number[]][]
}

describe.each(casesIn<EncoderCase>('encoder-tokenizers.json'))(
  '$name',
  ({ name, tokenizer: tokenizerJson, rows }) => {
    const tokenizer = openTokenizer({ path: name, tokenizerJson, tokenizerConfig: {}, eosIds: [] })
    const { prefixIds = [], suffixIds = [] } = tokenizer

    test.each(rows)('%j', (text, ids, decoded, whole) => {
      expect(tokenizer.encode(text)).toEqual(ids)
      expect(tokenizer.decode(ids)).toBe(decoded)
      expect([...prefixIds, ...ids, ...suffixIds]).toEqual(whole)
    })
  },
)
