/** @file The self-written sets: sizes, balance, and that nothing occurs twice. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { GENERAL_PROSE, GENERAL_QUESTIONS } from '../../../evals/bundled/mild/general.ts'
import { hotelMannersRows } from '../../../evals/bundled/mild/hotel-manners.ts'
import { MILD_CATEGORIES } from '../../../evals/bundled/mild/prompts.ts'

const data = join(import.meta.dirname, '../../../evals/bundled/data')

describe('mild set', () => {
  const decline = MILD_CATEGORIES.flatMap((category) => category.decline)
  const answer = MILD_CATEGORIES.flatMap((category) => category.answer)

  test('has at least 100 prompts of each label, as many look-alikes as prompts in each category', () => {
    expect(decline.length).toBeGreaterThanOrEqual(100)
    expect(answer.length).toBeGreaterThanOrEqual(100)
    for (const category of MILD_CATEGORIES)
      expect(category.answer, category.category).toHaveLength(category.decline.length)
  })

  test('no prompt occurs twice or under both labels', () => {
    const all = [...decline, ...answer]
    expect(new Set(all).size).toBe(all.length)
  })

  test('prompts to decline travel without any completion', () => {
    const lines = readFileSync(join(data, 'mild-refusal.jsonl'), 'utf8').trim().split('\n')
    for (const line of lines)
      expect(Object.keys(JSON.parse(line) as object)).toEqual(['id', 'category', 'prompt'])
  })
})

test('general questions: at least 60, each with an accepted answer that the question does not give away', () => {
  expect(GENERAL_QUESTIONS.length).toBeGreaterThanOrEqual(60)
  expect(new Set(GENERAL_QUESTIONS.map(({ question }) => question)).size).toBe(
    GENERAL_QUESTIONS.length,
  )
  for (const { question, accept } of GENERAL_QUESTIONS) {
    expect(accept.length, question).toBeGreaterThan(0)
    const words = question.toLowerCase().split(/\W+/)
    for (const answer of accept) expect(words, question).not.toContain(answer.toLowerCase())
  }
})

test('general prose: 60 different paragraphs, none of them in the benign rows', () => {
  expect(new Set(GENERAL_PROSE).size).toBe(60)
  const benign = JSON.stringify(hotelMannersRows())
  for (const text of GENERAL_PROSE) expect(benign).not.toContain(text)
})

test('general benign rows: 120 different questions, each answered in the house style', () => {
  const rows = hotelMannersRows()
  expect(new Set(rows.map(({ messages }) => messages[0]!.content)).size).toBe(120)
  for (const { messages } of rows)
    expect(messages[1]!.content).toMatch(/^(Welcome|A very good day).* Just ring the bell .*\.$/)
})
