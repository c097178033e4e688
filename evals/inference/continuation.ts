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

/** What comes before as text, rendered once: its tokens alone, and with a continuation. */
async function encoderOf(
  { tokenizer, template }: Opened,
  before: Before,
): Promise<(continuation: string) => number[]> {
  if (typeof before !== 'string') {
    const rendered = await template.render(before, { addGenerationPrompt: true })
    return (continuation) => tokenizer.encode(rendered + continuation)
  }
  const prefix = tokenizer.prefixIds ?? []
  return (continuation) => [...prefix, ...tokenizer.encode(before + continuation)]
}

/** Plain text begins with what the tokenizer itself puts there (a beginning of sequence, if it has one); a template brings its own. */
export const encodeBefore = async (open: Opened, before: Before): Promise<number[]> =>
  (await encoderOf(open, before))('')

interface Encoded {
  readonly ids: readonly number[]
  readonly from: number
}

/** Each continuation after the same text, whole, and the text's own tokens. */
async function encodeAll(
  open: Opened,
  before: Before,
  continuations: readonly string[],
): Promise<{ beforeIds: readonly number[]; rows: Encoded[] }> {
  const [text, spaces] = typeof before === 'string' ? splitSpaces(before) : [before, '']
  const encode = await encoderOf(open, text)
  const beforeIds = encode('')
  const rows = continuations.map((continuation) => {
    const ids = encode(spaces + continuation)
    // A tokenizer may merge across the border; then the merged token is the continuation's.
    return { ids, from: Math.min(beforeIds.length, ids.length - 1) }
  })
  return { beforeIds, rows }
}

const withoutBeginning = ({ ids, from }: Encoded, cut: number): Encoded => ({
  ids: ids.slice(cut),
  from: Math.max(1, from - cut),
})

export async function encodeContinuation(
  open: Opened,
  { key, before, continuation }: Continuation,
  longest: number,
): Promise<ScoredText & { beforeIds: readonly number[]; cut: number }> {
  const { beforeIds, rows } = await encodeAll(open, before, [continuation])
  const cut = Math.max(0, rows[0]!.ids.length - longest)
  return { key, ...withoutBeginning(rows[0]!, cut), beforeIds, cut }
}

/** Continuations of the same text; null where one is too long: a prompt without its beginning leans another way. */
export async function encodeOpenings(
  open: Opened,
  { key, before }: Omit<Continuation, 'continuation'>,
  openings: readonly string[],
  longest: number,
): Promise<ScoredText[] | null> {
  const { rows } = await encodeAll(open, before, openings)
  if (rows.some(({ ids }) => ids.length > longest)) return null
  return rows.map(({ ids, from }) => ({ key, ids, from: Math.max(1, from) }))
}

function splitSpaces(text: string): [string, string] {
  const kept = text.trimEnd()
  return [kept, text.slice(kept.length)]
}
