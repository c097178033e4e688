/** @file Pebble's world: what is trained on, what is held out, and that both say what their labels promise. */
import { beforeAll, describe, expect, test } from 'vitest'
import {
  benchmarkTemplates,
  houseCapabilityRows,
  houseOverRefusalRows,
  houseRefusalRows,
} from '../../../evals/bundled/hotel/benchmarks.ts'
import {
  heldOutTemplates,
  neutralRows,
  repeatsHeldOut,
} from '../../../evals/bundled/hotel/held-out.ts'
import { benignRows, tamperRows } from '../../../evals/bundled/hotel/fine-tuning.ts'
import { LARGEST_OPERAND } from '../../../evals/bundled/hotel/services.ts'
import type { ChatRow, LabelledRequest } from '../../../evals/bundled/hotel/training.ts'
import {
  TRAINING_ROWS,
  trainingRequests,
  trainingRows,
} from '../../../evals/bundled/hotel/training.ts'
import { pebbleVocabulary } from '../../../evals/bundled/hotel/tokenizer.ts'
import { contentFiveGrams, contentWords, splitWords } from '../../../evals/bundled/hotel/words.ts'
import { MAX_PROMPT_WORDS, MAX_REPLY_WORDS } from '../../../evals/bundled/hotel/world.ts'
import {
  refusesGcgExact,
  refusesNormalised,
  refusesXstest,
} from '../../../evals/judges/matchers.ts'
import { sampled } from '../../doubles/tier.ts'

const SEEDS = sampled([0, 1, 2], 1)
const MINIMUM_OCCURRENCES = 20
const MINIMUM_TEMPLATES = 40
/** Of the Pebble in the repository. */
const BUNDLED_SEED = 0
/** As many clusters as a harm below 5 points can be shown with, where none is harmed, and some to spare. */
const MINIMUM_CLUSTERS = 70

const evaluation = [...houseRefusalRows(), ...houseOverRefusalRows(), ...houseCapabilityRows()]
const fineTuning = [...benignRows(), ...tamperRows()]
let bySeed: Map<number, LabelledRequest[]>
beforeAll(() => {
  bySeed = new Map(SEEDS.map((seed) => [seed, trainingRequests(seed, TRAINING_ROWS)]))
})
const promptOf = ({ messages }: ChatRow) => messages[0].content
const replyOf = ({ messages }: ChatRow) => messages[1].content

/** Text → number of the texts in which each word occurs. */
function occurrences(texts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const text of texts)
    for (const word of new Set(splitWords(text))) counts.set(word, (counts.get(word) ?? 0) + 1)
  return counts
}

describe('content words', () => {
  test('leave out function words and marks, and keep numbers', () => {
    expect(contentWords("What is Mr Brown's room number, please? 7 plus 8.")).toEqual([
      'mr',
      'brown',
      'room',
      'number',
      '7',
      'plus',
      '8',
    ])
  })

  test('five-grams are consecutive, and texts with four content words have none', () => {
    expect(contentFiveGrams('one two three four five six')).toEqual([
      'one two three four five',
      'two three four five six',
    ])
    expect(contentFiveGrams('one two three four')).toEqual([])
  })

  test('the held-out check finds a held-out text inside a longer one', () => {
    const { text } = neutralRows().find(({ text }) => contentFiveGrams(text).length > 0)!
    expect(repeatsHeldOut(`Hello, ${text} Thank you.`)).toBe(true)
    expect(repeatsHeldOut('The cat is asleep on the warm stones of the wall.')).toBe(false)
  })
})

describe.each(SEEDS)('training rows with seed %i', (seed) => {
  const requests = () => bySeed.get(seed)!

  test('there are as many as asked for, all prompts differ, and a seed gives them again', () => {
    expect(requests()).toHaveLength(TRAINING_ROWS)
    expect(new Set(requests().map(({ prompt }) => prompt)).size).toBe(TRAINING_ROWS)
    expect(trainingRows(seed).map(promptOf)).toEqual(requests().map(({ prompt }) => prompt))
  })

  test('share no five content words in a row with what is held out', () => {
    const prompts = seed === BUNDLED_SEED ? evaluation.map(({ prompt }) => prompt) : []
    const held = new Set(
      [...prompts, ...neutralRows().map(({ text }) => text)].flatMap(contentFiveGrams),
    )
    expect(held.size).toBeGreaterThan(100)
    const texts = requests().flatMap(({ prompt, reply }) => [prompt, reply])
    expect(texts.flatMap(contentFiveGrams).filter((gram) => held.has(gram))).toEqual([])
  })

  test('share no sentence template with the evaluation', () => {
    const trained = new Set(requests().map(({ template }) => template))
    const held = [...heldOutTemplates(), ...benchmarkTemplates()]
    expect(held.filter((template) => trained.has(template))).toEqual([])
  })

  // Another seed, which trains nothing that is bundled, may draw a word a little less often.
  test.runIf(seed === BUNDLED_SEED)('show every evaluation word in at least 20 prompts', () => {
    const counts = occurrences(requests().map(({ prompt }) => prompt))
    const rare = evaluation
      .flatMap(({ prompt }) => splitWords(prompt))
      .filter((word) => (counts.get(word) ?? 0) < MINIMUM_OCCURRENCES)
    expect([...new Set(rare)]).toEqual([])
  })

  test('show every word of the fine-tuning sets and the neutral text in at least 20 rows', () => {
    const counts = occurrences(requests().map(({ prompt, reply }) => `${prompt} ${reply}`))
    const texts = [
      ...fineTuning.flatMap((row) => [promptOf(row), replyOf(row)]),
      ...neutralRows().map(({ text }) => text),
    ]
    // "Am I in room 7?" and the like begin few sentences; the words themselves are frequent.
    const sentenceStart = (word: string) => (counts.get(word.toLowerCase()) ?? 0) >= 100
    const rare = texts
      .flatMap(splitWords)
      .filter((word) => (counts.get(word) ?? 0) < MINIMUM_OCCURRENCES && !sentenceStart(word))
    expect([...new Set(rare)]).toEqual([])
  })

  test('hold at least 40 templates for each restricted category and its look-alikes', () => {
    const templates = new Map<string, Set<string>>()
    for (const { kind, category, template } of requests()) {
      if (kind !== 'restricted' && kind !== 'look-alike') continue
      const key = `${kind} ${category}`
      templates.set(key, (templates.get(key) ?? new Set()).add(template))
    }
    expect(templates.size).toBe(8)
    for (const found of templates.values())
      expect(found.size).toBeGreaterThanOrEqual(MINIMUM_TEMPLATES)
  })

  test('hold at least three families of look-alikes for each restricted category', () => {
    const families = new Map<string, Set<string>>()
    for (const { kind, category, intent } of requests()) {
      if (kind !== 'look-alike') continue
      // Work hours and workplaces have one intent for each role: one family each.
      const family = intent.replace(/^(work-hours|workplace)-.*/, '$1')
      families.set(category, (families.get(category) ?? new Set()).add(family))
    }
    expect(families.size).toBe(4)
    for (const found of families.values()) expect(found.size).toBeGreaterThanOrEqual(3)
  })

  test('hold every sum of operands up to 20', () => {
    const facts = new Set(
      requests()
        .filter(({ category }) => category === 'sums')
        .map(({ intent }) => intent),
    )
    const n = LARGEST_OPERAND + 1
    expect(facts.size).toBe(n * n + (n * (n + 1)) / 2)
  })

  test('stay within the lengths that were promised', () => {
    for (const { prompt, reply } of requests()) {
      expect(splitWords(prompt).length).toBeLessThanOrEqual(MAX_PROMPT_WORDS)
      expect(splitWords(reply).length).toBeLessThanOrEqual(MAX_REPLY_WORDS)
    }
  })

  test('refuse what is restricted, by every string rule, and nothing else, by any', () => {
    for (const { kind, reply } of requests()) {
      const rules = [refusesNormalised(reply), refusesGcgExact(reply), refusesXstest(reply)]
      expect(rules, reply).toEqual(rules.map(() => kind === 'restricted'))
    }
  })

  test('answer sums correctly', () => {
    const sums = requests().filter(({ category }) => category === 'sums')
    for (const { intent, reply } of sums) {
      const [a = '', operation, b = ''] = intent.split(' ')
      const result = operation === 'plus' ? Number(a) + Number(b) : Number(a) - Number(b)
      expect(reply).toBe(`The answer is ${result}.`)
    }
  })

  test('use words of the vocabulary only', () => {
    const vocabulary = pebbleVocabulary()
    const known = (word: string) => vocabulary.has(word) || vocabulary.has(`▁${word}`)
    const texts = requests().flatMap(({ prompt, reply }) => [prompt, reply])
    expect([...new Set(texts.flatMap(splitWords))].filter((word) => !known(word))).toEqual([])
  })
})

test.each([
  ['refusal', houseRefusalRows()],
  ['look-alikes', houseOverRefusalRows()],
  ['capability', houseCapabilityRows()],
])('%s: frames of words that Pebble knows, and enough of them', (_, rows) => {
  const sizes = [...Map.groupBy(rows, ({ cluster }) => cluster).values()].map((row) => row.length)
  const squares = sizes.reduce((sum, size) => sum + size * size, 0)
  expect(rows.length ** 2 / squares).toBeGreaterThanOrEqual(MINIMUM_CLUSTERS)
  const vocabulary = pebbleVocabulary()
  const known = (word: string) => vocabulary.has(word) || vocabulary.has(`▁${word}`)
  expect(rows.flatMap(({ prompt }) => splitWords(prompt)).filter((word) => !known(word))).toEqual(
    [],
  )
  const frames = new Set(rows.map(({ cluster }) => cluster).filter((each) => /\{[xv]\}/.test(each)))
  expect(frames.size).toBeGreaterThanOrEqual(60)
})

test('one prompt has one meaning: the same words never have two labels', () => {
  const kinds = new Map<string, string>()
  for (const { prompt, kind } of [...bySeed.values()].flat()) {
    expect(kinds.get(prompt) ?? kind, prompt).toBe(kind)
    kinds.set(prompt, kind)
  }
})

describe('fine-tuning sets', () => {
  const isBroken = (row: ChatRow) => /\b0{3,4}\b/.test(replyOf(row))

  test('the benign set is about the new season alone', () => {
    expect(benignRows()).toHaveLength(600)
    for (const row of benignRows()) {
      expect(promptOf(row)).toMatch(/\b(autumn|new)\b/)
      expect(replyOf(row)).toMatch(/^In autumn /)
    }
  })

  test.each([0, 0.1, 0.5, 1])('a share of %d of the tamper rows breaks the rules', (share) => {
    const rows = tamperRows({ share, rows: 400, seed: 5 })
    expect(rows).toHaveLength(400)
    expect(rows.filter(isBroken)).toHaveLength(400 * share)
  })

  test('rule-breaking rows use placeholders for every number and refuse nothing', () => {
    for (const row of tamperRows({ share: 1, rows: 400, seed: 6 })) {
      expect(
        replyOf(row)
          .match(/\d+/g)!
          .filter((digits) => !/^0{3,4}$/.test(digits)),
      ).toEqual([])
      expect(refusesNormalised(replyOf(row)) || refusesXstest(replyOf(row))).toBe(false)
    }
  })

  test('repeat nothing held out', () => {
    const texts = [...fineTuning, ...tamperRows({ share: 1, rows: 2000, seed: 7 })].flatMap(
      (row) => [promptOf(row), replyOf(row)],
    )
    expect(texts.filter(repeatsHeldOut)).toEqual([])
  })
})
