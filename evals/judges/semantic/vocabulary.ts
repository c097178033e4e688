/**
 * @file Which n-grams the networks read: those that stand in most of the training replies (`evals/bin/semantic/vocabulary.ts`), each with
 * a row of the table. Others are left out, where a hash modulo the rows would add them to some of these
 * (docs/decisions/semantic-judge.md).
 */
import { GRAMS } from './features.ts'

/** Of each n-gram, its row and one more; 0 where it is not read. */
export type Vocabulary = Uint16Array

/** A bit an n-gram. */
export const VOCABULARY_BYTES = GRAMS / 8

export function vocabularyOf(bits: ArrayLike<number>): Vocabulary {
  const vocabulary = new Uint16Array(GRAMS)
  let row = 0
  for (let gram = 0; gram < GRAMS; gram++)
    if ((bits[gram >> 3]! >> (gram & 7)) & 1) vocabulary[gram] = ++row
  return vocabulary
}

export function bitsOf(vocabulary: Vocabulary): Uint8Array {
  const bits = new Uint8Array(VOCABULARY_BYTES)
  vocabulary.forEach((row, gram) => {
    if (row > 0) bits[gram >> 3]! |= 1 << (gram & 7)
  })
  return bits
}

/** Rows of what is read; what is there twice is listed twice. */
export function rowsOf(vocabulary: Vocabulary, found: Uint32Array): Uint32Array {
  const rows = new Uint32Array(found.length)
  let count = 0
  for (const gram of found) {
    const row = vocabulary[gram]!
    if (row > 0) rows[count++] = row - 1
  }
  return rows.subarray(0, count)
}
