/** @file Normalisation of text, and its words. */

/** Scripts without spaces between words; one character counts as a word. */
export const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}'
const WORD = new RegExp(`[${UNSPACED}]\\p{M}*|(?:(?![${UNSPACED}])[\\p{L}\\p{M}\\p{N}])+`, 'gu')
/** The same, several times as fast, where no such script is. */
const SPACED_WORD = /[\p{L}\p{M}\p{N}]+/gu
const HAS_UNSPACED = new RegExp(`[${UNSPACED}]`, 'u')
const APOSTROPHES = /[‘’‛ʼ′´`＇]/g

/** NFKC, one kind of apostrophe, single spaces, no space at the ends, lower case. */
export function normalise(text: string): string {
  // Apostrophes first: NFKC takes ´ apart into a space and an accent.
  const composed = text.replace(APOSTROPHES, "'").normalize('NFKC')
  return composed.replace(/\s+/g, ' ').trim().toLowerCase()
}

/** Runs of letters, marks and digits, in lower case. */
export function words(text: string): string[] {
  const lower = text.toLowerCase()
  return lower.match(HAS_UNSPACED.test(lower) ? WORD : SPACED_WORD) ?? []
}
