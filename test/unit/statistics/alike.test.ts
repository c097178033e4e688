import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { commonLength, sharedCount } from '../../../evals/statistics/alike/common.ts'
import { languageOf } from '../../../evals/statistics/alike/languages.ts'
import { likenessOf } from '../../../evals/statistics/alike/templates.ts'
import { tokensOf } from '../../../evals/statistics/alike/tokens.ts'
import { fc } from '../../doubles/properties.ts'
import { unlike } from '../../doubles/rows/unlike.ts'

const bundled = (file: string): string[] =>
  readFileSync(new URL(`../../../evals/bundled/data/${file}.jsonl`, import.meta.url), 'utf8')
    .split('\n')
    .flatMap((line) => (line === '' ? [] : promptOf(line)))

interface Written {
  readonly prompt?: string
  readonly text?: string
}

function promptOf(line: string): string {
  const { prompt, text } = JSON.parse(line) as Written
  return prompt ?? text ?? ''
}

const found = (texts: readonly string[]) =>
  likenessOf(texts.map((text, i) => ({ key: String(i), text })))
const clustersIn = (texts: readonly string[]) => {
  const { of } = found(texts)
  return new Set(texts.map((_, i) => of.get(String(i)) ?? String(i))).size
}

/** Written by hand, each about something else. */
const PROBLEMS = [
  'A baker fills 12 trays with 9 rolls each and sells all but 17. How many rolls does she sell?',
  'Tom reads 24 pages on Monday and twice as many on Tuesday. The book has 150 pages. How many are left?',
  'A train leaves at 8:40 and arrives three hours and 35 minutes later. When does it arrive?',
  'Each of five fishermen caught seven trout; eleven of the fish were too small and went back. What remained?',
  'The garden is 15 metres long and 8 metres wide. What does a fence around it cost at 4 euros a metre?',
  'Lisa saves 3 coins every day in June. On the last day she spends half of them. What does she keep?',
  'Two pipes fill a tank in 6 and 3 hours. If both are open, how long does it take?',
  'A class of 28 pupils goes to the museum; adults pay 9 euros, children 4. With two teachers, what is paid?',
  'A jacket of 80 euros is sold at a quarter off, then at another tenth off. What is the last price?',
  'There were 45 birds on a wire. A third flew away, then six came back. Count the birds on the wire.',
  'Marta runs 400 metres in 80 seconds. At that speed, what distance does she cover in five minutes?',
  'If a recipe for 4 people takes 600 grams of flour, how much is needed for 10?',
  'The sum of three numbers in a row is 72. Which is the largest?',
  'A car uses 6 litres for 100 kilometres; petrol costs 1.80. What does a journey of 350 kilometres cost?',
  'Grandfather is 71, which is five years more than three times the age of his grandson. How old is the boy?',
  'In a box lie red and blue balls, twice as many red as blue, 36 in all. How many are blue?',
  'Nine workers build a wall in 14 days. How long would six workers need?',
  'Ben has 50 euros. He buys three notebooks for 2.40 each and a pen for 5.60. What change does he get?',
  'The cinema has 18 rows of 22 seats, and 57 are empty tonight. How many visitors came?',
  'A snail climbs 3 metres by day and slips 2 at night. On what day does it leave a well of 10 metres?',
  'Sara cuts a ribbon of 2.7 metres into pieces of 30 centimetres. How many cuts does she make?',
  'From a barrel of 120 litres a fifth leaks out, and 16 litres are drawn. What is in it now?',
  'An hour of parking costs 2 euros, every further half hour 75 cents. What is due after four hours?',
  'The mean of four marks is 2.5; the first three are 2, 3 and 1. Find the fourth.',
  'A hen lays 5 eggs a week. In how many weeks do eight hens lay 200 eggs?',
  'Paul walked 7 kilometres north, then 24 east. How far, as the crow flies, is he from his start?',
  'Of 240 votes Anna got 45 percent and Jonas 30 percent. By how many votes did she win?',
  'On a map of 1 to 50,000 the lake is 6 centimetres long. What is its true length in kilometres?',
  'Seven identical candles burn for 21 hours one after another. How long do four of them last?',
  'A clock loses two minutes a day. After three weeks, how far behind is it?',
]

describe('independent prompts are not one cluster', () => {
  test.each([
    ['mild prompts', [...bundled('mild-refusal'), ...bundled('mild-overrefusal')], 211],
    ['German ones', bundled('mild-de'), 215],
    ['Chinese ones', bundled('mild-zh'), 216],
    ['problems in words', PROBLEMS, 30],
    ['prose', bundled('general-neutral'), 60],
  ])('%s', (_, texts, clusters) => {
    expect(clustersIn(texts)).toBe(clusters)
    expect(found(texts).doubt).toBeUndefined()
    const shown = texts.map((text) => `Answer with one word or number: ${text}`)
    expect(clustersIn(shown)).toBe(clusters)
    expect(found(shown).doubt).toBeUndefined()
  })

  test('solved examples before every prompt change nothing', () => {
    const examples = PROBLEMS.slice(0, 5).map((text) => `Question: ${text}\nAnswer: 7\n\n`)
    const rest = PROBLEMS.slice(5)
    const shown = rest.map((text) => `${examples.join('')}Question: ${text}\nAnswer:`)
    expect(clustersIn(shown)).toBe(25)
    expect(found(shown).doubt).toBeUndefined()
  })
})

test('what looks alike is one word', () => {
  const plain = tokensOf('Where is the key 7?')
  for (const text of [
    'WHERE, is: the key 12!',
    'whеre іs the kеy ７',
    'wh\u200bere is t\u0301he key ³',
  ])
    expect(tokensOf(text)).toEqual(plain)
})

test('templates are found in many texts of which each is not compared with each', () => {
  const texts = Array.from({ length: 4000 }, (_, i) =>
    i % 2 ? unlike(i) : `Where is ${unlike(i).split(' ')[0]!} tonight?`,
  )
  const { of } = found(texts)
  const groups = new Set(texts.flatMap((_, i) => (i % 2 ? [] : (of.get(String(i)) ?? 'none'))))
  expect(groups).toEqual(new Set(['0']))
  expect(texts.filter((_, i) => i % 2 && of.has(String(i)))).toEqual([])
})

test('a language is told by its frequent words or its script', () => {
  const told = (text: string) => languageOf(text, tokensOf(text))
  const most = (file: string) => {
    const all = bundled(file).map(told)
    return [...Map.groupBy(all, (each) => each)].sort(([, a], [, b]) => b.length - a.length)[0]![0]
  }
  expect(['mild-refusal', 'mild-de', 'mild-fr', 'mild-es', 'mild-zh'].map(most)).toEqual(
    'en de fr es Han'.split(' '),
  )
  expect(told('где ключ')).toBe('Cyrillic')
  expect(told('42')).toBeUndefined()
})

test('the longest common subsequence is what trying all gives, and the bound is not below it', () => {
  const words = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 7 })
  const isIn = (part: readonly number[], whole: readonly number[]) => {
    let k = 0
    for (const each of whole) if (each === part[k]) k++
    return k === part.length
  }
  fc.assert(
    fc.property(words, words, (a, b) => {
      const parts = Array.from({ length: 2 ** a.length }, (_, mask) =>
        a.filter((_, i) => (mask >> i) & 1),
      )
      const longest = Math.max(...parts.map((part) => (isIn(part, b) ? part.length : 0)))
      const [one, two] = [Int32Array.from(a), Int32Array.from(b)]
      expect(commonLength(one, two)).toBe(longest)
      expect(sharedCount(one.toSorted(), two.toSorted())).toBeGreaterThanOrEqual(longest)
    }),
    { numRuns: 200 },
  )
})
