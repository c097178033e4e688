/**
 * @file Whether the words of a text stand in no order in which they are known, as in a soup of words ("Lamp seven the of river blue
 * …"). Of two words that stand side by side, both of which the semantic judge knows (`known.ts`), it is asked whether they do so
 * in the texts that it was trained on too. In texts of fourteen languages half of such pairs do, of words that are drawn at random
 * hardly one. `npm run semantic-judge -- --words` makes the file of pairs.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../files/digest.ts'
import { filterFrom } from './bloom.ts'
import { isKnownWord, partsOf } from './known.ts'

export const PAIRS_FILE = join(import.meta.dirname, 'pairs.int8')
const isKnownPair = filterFrom(PAIRS_FILE)

const HAS_DIGIT = /\p{N}/u

/** Of each part of a text the pairs of known words, with a space between; of repeated words and of such with digits none. */
export const pairsOf = (text: string, isKnown: (word: string) => boolean): string[][] =>
  partsOf(text).map((found) => {
    const pairs: string[] = []
    let before = ''
    for (const word of found) {
      const next = !HAS_DIGIT.test(word) && isKnown(word) ? word : ''
      if (before !== '' && next !== '' && before !== next) pairs.push(`${before} ${next}`)
      before = next
    }
    return pairs
  })

/**
 * Chosen on the replies that the judge is tested on and on texts of other fields, of hardly one of which the words are in no order by
 * it: its errors on these flatter.
 */
export const ORDER_RULE = {
  /** Of the first so many pairs of known words … */
  first: 100,
  /** … where there are at least so many, less than this share is known. */
  tiers: [
    { fewest: 8, least: 0.05 },
    { fewest: 16, least: 0.1 },
  ],
  /** Or of so many one after another in a part, at most so many are. */
  runs: [
    { length: 10, most: 0 },
    { length: 14, most: 1 },
    { length: 16, most: 2 },
  ],
  /** Characters of a longer text that are looked at, at both of its ends. */
  ends: 4000,
  pairs: sha256(readFileSync(PAIRS_FILE)),
} as const

export function isDisordered(text: string): boolean {
  const { ends } = ORDER_RULE
  const looked = text.length > 2 * ends ? `${text.slice(0, ends)}\n.\n${text.slice(-ends)}` : text
  const parts = pairsOf(looked, isKnownWord).map((pairs) => pairs.map((pair) => +isKnownPair(pair)))
  const { first, tiers, runs } = ORDER_RULE
  const beginning = parts.flat().slice(0, first)
  const found = sumOf(beginning)
  const isFew = tiers.some(
    ({ fewest, least }) => beginning.length >= fewest && found < least * beginning.length,
  )
  return (
    isFew || parts.some((part) => runs.some(({ length, most }) => leastOf(part, length) <= most))
  )
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0)

/** The smallest sum of `length` numbers one after another; infinite where there are fewer. */
function leastOf(numbers: readonly number[], length: number): number {
  let [sum, least] = [0, Infinity]
  numbers.forEach((number, i) => {
    sum += number - (numbers[i - length] ?? 0)
    if (i >= length - 1) least = Math.min(least, sum)
  })
  return least
}
