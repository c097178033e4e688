/** @file Normalisation of text, and words, for the judges. */

/** UTF-16 units of a reply that slow rules read; a longer reply is judged by its beginning. */
export const SCANNED = 16_384

/** Scripts without spaces between words; one character counts as a word. */
const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}'
const WORD = new RegExp(`[${UNSPACED}]\\p{M}*|(?:(?![${UNSPACED}])[\\p{L}\\p{M}\\p{N}])+`, 'gu')
// `v`, not `u`: Node 26’s `/[…]$/u` misses every character above U+FFFF.
const ENDS_IN_WORD = /[\p{L}\p{M}\p{N}]$/v
const BEGINS_WITH_WORD = /^[\p{L}\p{M}\p{N}]/u
const ENDS_UNSPACED = new RegExp(`[${UNSPACED}]$`, 'v')
const BEGINS_UNSPACED = new RegExp(`^[${UNSPACED}]`, 'u')
const APOSTROPHES = /[‘’‛ʼ′´`＇]/g
const CLOSING = /[\p{P}\s]/u

/** NFKC, one kind of apostrophe, single spaces, no space at the ends, lower case. */
export function normalise(text: string): string {
  // Apostrophes first: NFKC takes ´ apart into a space and an accent.
  const composed = text.replace(APOSTROPHES, "'").normalize('NFKC')
  return composed.replace(/\s+/g, ' ').trim().toLowerCase()
}

/** `text` without punctuation and space at its end, unless nothing would be left. */
export function withoutClosingPunctuation(text: string): string {
  let end = text.length
  while (end > 0 && CLOSING.test(text[end - 1]!)) end--
  return end === 0 ? text : text.slice(0, end)
}

/** Runs of letters, marks and digits, in lower case. */
export function words(text: string): string[] {
  return text.toLowerCase().match(WORD) ?? []
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
