/**
 * @file Hashed n-grams of a text: FNV-1a of each run of 1 to 5 characters and of each run of 1 to 3 words, 20 bits each and one that
 * tells words. The low bits are a bucket of the regressions. Runs cross word boundaries; every digit counts as 0.
 */
import { normalise, words } from '../../statistics/words.ts'

export const GRAMS = 2 ** 21
const OF_WORDS = GRAMS / 2
/** Of a regression, which reads n-grams modulo this. */
export const BUCKETS = 2 ** 17
export const bucketOf = (gram: number): number => gram & (BUCKETS - 1)
const LONGEST_RUN = 5
const LONGEST_PHRASE = 3
/** Characters of a normalised segment that are read. */
const READ = 4096
const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

const mixed = (hash: number, code: number) => Math.imul(hash ^ code, PRIME)
/** FNV's low bits are weak for short inputs, so the high ones are folded in. */
const gramOf = (hash: number) => (hash ^ (hash >>> 15) ^ (hash >>> 7)) & (OF_WORDS - 1)

/** Numbers below `GRAMS`, one per n-gram; what is there twice is listed twice. */
export function features(text: string): Uint32Array {
  const plain = ` ${normalise(text).slice(0, READ).replace(/\p{N}/gu, '0')} `
  const found: number[] = []
  for (let start = 0; start < plain.length; start++) {
    const end = Math.min(plain.length, start + LONGEST_RUN)
    let hash = OFFSET
    for (let at = start; at < end; at++) {
      hash = mixed(hash, plain.charCodeAt(at))
      found.push(gramOf(mixed(hash, at - start)))
    }
  }
  addPhrases(words(plain), found)
  return Uint32Array.from(found)
}

function addPhrases(tokens: readonly string[], found: number[]): void {
  for (let start = 0; start < tokens.length; start++) {
    let hash = OFFSET ^ 0x5bd1e995
    for (const token of tokens.slice(start, start + LONGEST_PHRASE)) {
      for (let i = 0; i < token.length; i++) hash = mixed(hash, token.charCodeAt(i))
      hash = mixed(hash, 0x20)
      found.push(OF_WORDS + gramOf(hash))
    }
  }
}
