/** @file A text is seen a second time if and only if it was seen before. */
import { expect, test } from 'vitest'
import { createSeenTexts } from '../../../evals/data/seen-texts.ts'

test('two hundred thousand texts that differ by a character are all new, and then all known', () => {
  const seen = createSeenTexts()
  const texts = Array.from({ length: 200_000 }, (_, i) => `room ${i}`)
  expect(texts.filter((text) => seen.see(text))).toEqual([])
  expect(texts.every((text) => seen.see(text))).toBe(true)
})

test('the order of characters counts, and the empty text is a text', () => {
  const seen = createSeenTexts()
  for (const text of ['', 'ab', 'ba', 'aab', 'aba']) expect(seen.see(text)).toBe(false)
  expect(seen.see('')).toBe(true)
})
