/** @file Text as Pebble sees it: words and punctuation marks; content words; n-grams of them. */
import { STOP_WORDS } from './stop-words.ts'

/** Words keep their case; `'s` and `'m` are words of their own, as are `.`, `,`, `?`. Pebble's tokenizer splits alike. */
export function splitWords(text: string): string[] {
  return text.match(/'[a-z]+|[^\s.,?!']+|[.,?!']/g) ?? []
}

/** Lower-case words without punctuation and stop words. */
export function contentWords(text: string): string[] {
  return splitWords(text.toLowerCase()).filter(
    (word) => !/^[.,?!']$/.test(word) && !STOP_WORDS.has(word),
  )
}

/** Consecutive content words, five by five, joined by spaces; empty for texts with fewer than five. */
export function contentFiveGrams(text: string): string[] {
  const words = contentWords(text)
  return words.slice(4).map((_, i) => words.slice(i, i + 5).join(' '))
}
