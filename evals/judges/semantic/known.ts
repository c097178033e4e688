/**
 * @file The words that stand in two or more of the texts that the judge was trained on, and the sentences of up to three words that stand in their refusals
 * ("So sorry.") or are courtesies, as a Bloom filter: five bits an entry of 2²⁰. What is in is always found; of what is not some 0.2 % are found too.
 * `npm run semantic-judge -- --words` makes the file.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { normalise, words } from '../../statistics/words.ts'

export const KNOWN_FILE = join(import.meta.dirname, 'known.int8')
const BITS = 2 ** 20
const HASHES = 5
/** Up to that many words a part is short; a letter of a script without spaces is half a word. */
export const SHORT = 3

const PRIME = 0x01000193
function hashOf(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** Whether `is` holds of every bit of an entry. */
function everyBit(entry: string, is: (bit: number) => boolean): boolean {
  const one = hashOf(entry, 0)
  const two = hashOf(entry, 0x5bd1e995)
  for (let i = 0; i < HASHES; i++) if (!is((one + i * two) % BITS)) return false
  return true
}

export function filterOf(entries: Iterable<string>): Uint8Array {
  const filter = new Uint8Array(BITS / 8)
  const set = (bit: number) => (filter[bit >> 3]! |= 1 << (bit & 7)) !== 0
  for (const entry of entries) everyBit(entry, set)
  return filter
}

let shipped: Uint8Array | undefined
const isSet = (bit: number) => (shipped![bit >> 3]! & (1 << (bit & 7))) !== 0
function isIn(entry: string): boolean {
  shipped ??= new Uint8Array(readFileSync(KNOWN_FILE))
  return everyBit(entry, isSet)
}

export const wordsOf = (text: string): string[] => words(normalise(text))

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
