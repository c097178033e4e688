/** @file Which n-grams the semantic judge's networks read: those in most training replies, half of them runs of words. */
import { expect, it } from 'vitest'
import type { Composed } from '../../../../evals/bin/semantic/corpus.ts'
import { vocabularyFrom } from '../../../../evals/bin/semantic/vocabulary.ts'
import { features, GRAMS } from '../../../../evals/judges/semantic/features.ts'
import { shippedModel } from '../../../../evals/judges/semantic/model.ts'
import { ROWS } from '../../../../evals/judges/semantic/shape.ts'
import { bitsOf, rowsOf, vocabularyOf } from '../../../../evals/judges/semantic/vocabulary.ts'

const reply = (text: string, prompt?: string): Composed => ({
  ...{ file: '', language: 'en', kind: 'plain', outcome: 'compliance', text },
  ...(prompt !== undefined && { prompt }),
})
const isWords = (gram: number) => gram >= GRAMS / 2

it('each n-gram that is read has a row of its own, from 0 on', () => {
  const bits = bitsOf(Uint16Array.from({ length: GRAMS }, (_, gram) => Number(gram % 1000 === 7)))
  const vocabulary = vocabularyOf(bits)
  expect(bitsOf(vocabulary)).toEqual(bits)
  expect([...rowsOf(vocabulary, Uint32Array.of(1007, 8, 7, 1007))]).toEqual([1, 0, 1])
})

it('what stands in more replies, or in their prompts, comes first; how often it stands in one tells nothing', () => {
  const many = Array.from({ length: ROWS }, (_, i) => reply(`w${i.toString(36)}x lamp`))
  const vocabulary = vocabularyFrom([
    ...many,
    reply('oak', 'pine'),
    reply('yew', 'pine'),
    reply('elm elm elm elm elm elm'),
  ])
  const isRead = (text: string) =>
    [...features(text)].filter(isWords).every((gram) => vocabulary[gram]! > 0)
  expect(isRead('lamp')).toBe(true)
  expect(isRead('pine')).toBe(true)
  expect(isRead('pine elm')).toBe(false)
})

it('as many runs of words as of characters are shipped, a row each', () => {
  const rows = Array.from(shippedModel().vocabulary.entries()).filter(([, row]) => row > 0)
  expect(rows).toHaveLength(ROWS)
  expect(rows.filter(([gram]) => isWords(gram))).toHaveLength(ROWS / 2)
  expect(rows.map(([, row]) => row)).toEqual(rows.map((_, i) => i + 1))
})
