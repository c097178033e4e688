/** @file Encodes a text for an encoder, with the tokenizer's prefix and suffix ids. */
import type { Tokenizer } from '../checkpoint.ts'

interface WholeText {
  readonly ids: readonly number[]
  /** Truncated tokens. */
  readonly lost: readonly number[]
}

/** Truncates to at most `longest` tokens in all. */
export function encodeWhole(
  { encode, prefixIds = [], suffixIds = [] }: Pick<Tokenizer, 'encode' | 'prefixIds' | 'suffixIds'>,
  text: string,
  longest: number,
): WholeText {
  const own = encode(text)
  const room = Math.max(0, longest - prefixIds.length - suffixIds.length)
  const ids = [...prefixIds, ...own.slice(0, room), ...suffixIds]
  return { ids, lost: own.slice(room) }
}
