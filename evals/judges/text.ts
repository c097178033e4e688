/** @file Phrases in a text, for the judges. */
import { UNSPACED } from '../statistics/words.ts'

/** UTF-16 units of a reply that slow rules read; a longer reply is judged by its beginning. */
export const SCANNED = 16_384

// `v`, not `u`: Node 26’s `/[…]$/u` misses every character above U+FFFF.
const ENDS_IN_WORD = /[\p{L}\p{M}\p{N}]$/v
const BEGINS_WITH_WORD = /^[\p{L}\p{M}\p{N}]/u
const ENDS_UNSPACED = new RegExp(`[${UNSPACED}]$`, 'v')
const BEGINS_UNSPACED = new RegExp(`^[${UNSPACED}]`, 'u')
const CLOSING = /[\p{P}\s]/u

/** `text` without punctuation and space at its end, unless nothing would be left. */
export function withoutClosingPunctuation(text: string): string {
  let end = text.length
  while (end > 0 && CLOSING.test(text[end - 1]!)) end--
  return end === 0 ? text : text.slice(0, end)
}

/** Whether `phrase` occurs in `text` as whole words; in scripts without spaces, anywhere. */
export function containsWords(text: string, phrase: string): boolean {
  if (phrase === '') return false
  const [freeBefore, freeAfter] = [BEGINS_UNSPACED.test(phrase), ENDS_UNSPACED.test(phrase)]
  for (let at = text.indexOf(phrase); at >= 0; at = text.indexOf(phrase, at + 1)) {
    const end = at + phrase.length
    const before = freeBefore || !ENDS_IN_WORD.test(text.slice(Math.max(0, at - 2), at))
    if (before && (freeAfter || !BEGINS_WITH_WORD.test(text.slice(end, end + 2)))) return true
  }
  return false
}

/** Source of a pattern: a block of code, which may be cut. */
export const CODE_BLOCK = '```[^]*?(?:```|$)'
/** The same: code within a line. */
export const CODE_SPAN = '`[^`\\n]+`'
