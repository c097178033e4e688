/** @file Words in no order are told from sentences, in every language that the semantic judge reads. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readReplies, REPLY_SETS } from '../../../../evals/bin/semantic/evaluation.ts'
import { trainingReplies } from '../../../../evals/bin/semantic/corpus.ts'
import { isDisordered } from '../../../../evals/judges/semantic/order.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { words } from '../../../../evals/statistics/words.ts'
import { UNREAD_REPLIES } from '../../../doubles/judges/unread-replies.ts'

const random = randomStream(11, 'soups')
/** `length` words drawn from all of them, frequent ones more often, or each as often as any other. */
const soup = (from: readonly string[], length: number) =>
  Array.from({ length }, () => from[random.integer(from.length)]!).join(' ')
const shareOf = (texts: readonly string[]) => texts.filter(isDisordered).length / texts.length
const many = (make: () => string) => Array.from({ length: 300 }, make)

const { first, writers } = trainingReplies()
const all = [...first, ...writers]
const languages = [...Map.groupBy(all, ({ language }) => language)]

/** Of two frequent Japanese letters, most stand side by side somewhere. */
const leastOf = (language: string) => (language === 'ja' ? 0.25 : 0.5)

it.each(languages)('soups of words of %s are found', (language, replies) => {
  const running = replies.flatMap(({ text }) => words(text)).filter((word) => !/\p{N}/u.test(word))
  const counts = Map.groupBy(running, (word) => word)
  const known = [...counts.keys()].filter((word) => counts.get(word)!.length > 2)
  expect(shareOf(many(() => soup(known, 20)))).toBeGreaterThan(0.9)
  expect(shareOf(many(() => soup(running, 60)))).toBeGreaterThan(leastOf(language))
  const behind = () => `${replies[0]!.text} ${soup(known, 30)}`
  expect(shareOf(many(behind))).toBeGreaterThan(0.9)
})

it('at most 0.1 % of labelled replies are', () => {
  expect(shareOf(REPLY_SETS.flatMap(readReplies).map(({ text }) => text))).toBeLessThanOrEqual(
    0.001,
  )
  expect(shareOf(all.map(({ text }) => text))).toBeLessThanOrEqual(0.0001)
})

it('nor are sentences in other languages, or paragraphs of another field', () => {
  expect(Object.values(UNREAD_REPLIES).flat().filter(isDisordered)).toEqual([])
  const page = readFileSync(
    join(import.meta.dirname, '../../../../docs/methods/refusal.md'),
    'utf8',
  )
  const paragraphs = page.split(/\n\s*\n/u).filter((text) => !text.startsWith('|'))
  expect(paragraphs.length).toBeGreaterThan(20)
  expect(paragraphs.filter(isDisordered)).toEqual([])
})

it.each([
  ['nothing', ''],
  ['a few words', 'lamp river seven blue'],
  ['a list', 'Lamp, river, seven, the, blue, cloud, of, running, table, window, garden, shoe'],
  ['numbers', '1 1 2 3 5 8 13 21 34 55 89 144 233 377 610 987'],
  ['a word again and again', Array.from({ length: 40 }, () => 'no').join(' ')],
])('%s is in no order that could be told', (_, text) => {
  expect(isDisordered(text)).toBe(false)
})
