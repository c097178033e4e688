/**
 * @file The words that stand in two or more of the texts that the judge was trained on, and the sentences of up to three words that stand in their refusals
 * ("So sorry.") or are courtesies, as a Bloom filter.
 * `npm run semantic-judge -- --words` makes the file.
 */
import { join } from 'node:path'
import { normalise, words } from '../../statistics/words.ts'
import { filterFrom } from './bloom.ts'

export const KNOWN_FILE = join(import.meta.dirname, 'known.int8')
/** Up to that many words a part is short; a letter of a script without spaces is half a word. */
export const SHORT = 3

const isIn = filterFrom(KNOWN_FILE)

export const wordsOf = (text: string): string[] => words(normalise(text))

/** Between these a text is cut into parts. */
const CUTS = /[^\p{L}\p{M}\p{N}\s'’]+/u
/** Words between which stands nothing but space. */
export const partsOf = (text: string): string[][] => normalise(text).split(CUTS).map(words)

const HALF =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
export const sizeOf = (found: readonly string[]): number =>
  found.reduce((sum, word) => sum + (HALF.test(word) ? 0.5 : 1), 0)

/** A sentence as an entry. */
export const sentenceEntry = (found: readonly string[]): string => ` ${found.join(' ')}`

export const isKnownSentence = (found: readonly string[]): boolean => isIn(sentenceEntry(found))

export const isKnownWord = (word: string): boolean => isIn(word)

/** Of the words without digits, the share that is known; 1 where there are none. */
export function knownShare(found: readonly string[]): number {
  const spelt = found.filter((word) => !/\p{N}/u.test(word))
  return spelt.length === 0 ? 1 : spelt.filter(isIn).length / spelt.length
}
