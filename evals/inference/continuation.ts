/**
 * @file Text before and a continuation as one row of tokens, as lm-evaluation-harness's `_encode_pair` makes it: both
 * are tokenised together, spaces that end the first belong to the second, and only the second's tokens are scored.
 */
import type { Message } from '../contract/rows.ts'
import type { OpenModel } from '../models/checkpoint.ts'
import type { ScoredText } from './score.ts'

/** Plain text, or a conversation that the model's own chat template renders. */
export type Before = string | readonly Message[]

export interface Continuation {
  readonly key: string
  readonly before: Before
  readonly continuation: string
}

export interface ContinuationScore {
  /** Nats, one a token of the continuation. */
  readonly logProbs: Float32Array
  /** Tokens of `before`. */
  readonly beforeIds: readonly number[]
  /** Tokens that were cut from the beginning, because the model takes no more. */
  readonly cut: number
}

type Opened = Pick<OpenModel, 'tokenizer' | 'template'>

/** Plain text begins with what the tokenizer itself puts there (a beginning of sequence, if it has one); a template brings its own. */
export async function encodeBefore(
  { tokenizer, template }: Opened,
  before: Before,
  continuation = '',
): Promise<number[]> {
  if (typeof before === 'string') {
    return [...(tokenizer.prefixIds ?? []), ...tokenizer.encode(before + continuation)]
  }
  const rendered = await template.render(before, { addGenerationPrompt: true })
  return tokenizer.encode(rendered + continuation)
}

export async function encodeContinuation(
  open: Opened,
  { key, before, continuation }: Continuation,
  longest: number,
): Promise<ScoredText & { beforeIds: readonly number[]; cut: number }> {
  const [text, spaces] = typeof before === 'string' ? splitSpaces(before) : [before, '']
  const beforeIds = await encodeBefore(open, text)
  const ids = await encodeBefore(open, text, spaces + continuation)
  const cut = Math.max(0, ids.length - longest)
  // A tokenizer may merge across the border; then the merged token is the continuation's.
  const from = Math.max(1, Math.min(beforeIds.length, ids.length - 1) - cut)
  return { key, ids: ids.slice(cut), from, beforeIds, cut }
}

function splitSpaces(text: string): [string, string] {
  const kept = text.trimEnd()
  return [kept, text.slice(kept.length)]
}
