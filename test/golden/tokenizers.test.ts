/** @file Small tokenizers of each supported kind against the reference library: ids of every text, and texts of the ids. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../evals/models/files.ts'
import { openTokenizer } from '../../evals/models/tokenizer.ts'

interface Case {
  name: string
  tokenizer: JsonObject
  rows: [text: string, ids: number[], decoded: string][]
}
const { cases } = JSON.parse(
  readFileSync(new URL('./fixtures/tokenizers.json', import.meta.url), 'utf8'),
) as { cases: Case[] }

describe.each(cases)('$name', ({ name, tokenizer: tokenizerJson, rows }) => {
  const tokenizer = openTokenizer({ path: name, tokenizerJson, tokenizerConfig: {}, eosIds: [] })

  test.each(rows)('%j', (text, ids, decoded) => {
    expect(tokenizer.encode(text)).toEqual(ids)
    expect(tokenizer.decode(ids)).toBe(decoded)
  })
})
