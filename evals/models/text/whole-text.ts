/** @file A text as an encoder was trained to read it: its tokens between what its tokenizer puts around them. */
import type { Tokenizer } from '../checkpoint.ts'

interface WholeText {
  readonly ids: readonly number[]
  /** Tokens that the text lost at its end. */
  readonly lost: readonly number[]
}

/** At most `longest` tokens in all. */
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
