/** @file The n-grams that stand in most of the training replies and their prompts: half of the rows are runs of words, half of characters. */
import { features, GRAMS } from '../../judges/semantic/features.ts'
import { ROWS } from '../../judges/semantic/shape.ts'
import { bitsOf, vocabularyOf, type Vocabulary } from '../../judges/semantic/vocabulary.ts'
import type { Composed } from './corpus.ts'

export function vocabularyFrom(replies: readonly Composed[]): Vocabulary {
  const counts = new Uint32Array(GRAMS)
  for (const { text, prompt = '' } of replies)
    for (const gram of new Set([...features(text), ...features(prompt)])) counts[gram]!++
  const half = GRAMS / 2
  const chosen = new Uint16Array(GRAMS)
  for (const from of [0, half])
    for (const gram of mostOf(counts.subarray(from, from + half))) chosen[from + gram] = 1
  return vocabularyOf(bitsOf(chosen))
}

/** Of as many as half the table has rows, the places of the largest; of equal ones the first. */
function mostOf(counts: Uint32Array): number[] {
  const found = Array.from(counts.keys()).filter((gram) => counts[gram]! > 0)
  return found.sort((a, b) => counts[b]! - counts[a]! || a - b).slice(0, ROWS / 2)
}
