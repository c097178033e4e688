/**
 * @file Encodes a text and its continuation as one row of tokens, as `_encode_pair` of lm-evaluation-harness: both are
 * tokenised together, trailing spaces of the text move to the continuation, and only the continuation's tokens are scored.
 */
import type { Message } from '../contract/rows.ts'
import type { OpenModel } from '../models/checkpoint.ts'
import { promptText } from '../models/text/prompt-text.ts'
import type { ScoredText } from './score.ts'

/** Plain text, or a conversation rendered by the model's chat template. */
export type Before = string | readonly Message[]

export interface Continuation {
  readonly key: string
  readonly before: Before
  readonly continuation: string
}

export interface ContinuationScore {
  /** Nats, one per token of the continuation. */
  readonly logProbs: Float32Array
  /** Tokens of `before`. */
  readonly beforeIds: readonly number[]
  /** Tokens cut from the beginning to fit the model's context. */
  readonly cut: number
  /** Of a head that names classes: the one that it finds most probable, asked about or not. */
  readonly likeliest?: { readonly name: string; readonly logProb: number }
}

type TextModel = Pick<OpenModel, 'tokenizer' | 'template'>

/** Renders `before` once and returns an encoder of it with any continuation. */
async function encoderOf(
  { tokenizer, template }: TextModel,
  before: Before,
): Promise<(continuation: string) => number[]> {
  if (typeof before !== 'string') {
    const rendered = await promptText(template, before)
    return (continuation) => tokenizer.encode(rendered + continuation)
  }
  const prefix = tokenizer.prefixIds ?? []
  return (continuation) => [...prefix, ...tokenizer.encode(before + continuation)]
}

/** Plain text starts with the tokenizer's own prefix (a beginning of sequence, if it has one); a template contains its own. */
export const encodeBefore = async (open: TextModel, before: Before): Promise<number[]> =>
  (await encoderOf(open, before))('')

interface Encoded {
  readonly ids: readonly number[]
  readonly from: number
}

/** The tokens of `before`, alone and with each continuation. */
async function encodeAll(
  open: TextModel,
  before: Before,
  continuations: readonly string[],
): Promise<{ beforeIds: readonly number[]; rows: Encoded[] }> {
  const [text, spaces] = typeof before === 'string' ? splitSpaces(before) : [before, '']
  const encode = await encoderOf(open, text)
  const beforeIds = encode('')
  const rows = continuations.map((continuation) => {
    const ids = encode(spaces + continuation)
    // A token merged across the border counts as the continuation's.
    return { ids, from: Math.min(beforeIds.length, ids.length - 1) }
  })
  return { beforeIds, rows }
}

const withoutBeginning = ({ ids, from }: Encoded, cut: number): Encoded => ({
  ids: ids.slice(cut),
  from: Math.max(1, from - cut),
})

export async function encodeContinuation(
  open: TextModel,
  { key, before, continuation }: Continuation,
  longest: number,
): Promise<ScoredText & { beforeIds: readonly number[]; cut: number }> {
  const { beforeIds, rows } = await encodeAll(open, before, [continuation])
  const cut = Math.max(0, rows[0]!.ids.length - longest)
  return { key, ...withoutBeginning(rows[0]!, cut), beforeIds, cut }
}

/**
 * Encodes short reply starts after one text. Returns null where one does not fit: cutting the prompt would change the scores.
 */
export async function encodeReplyStarts(
  open: TextModel,
  { key, before }: Omit<Continuation, 'continuation'>,
  starts: readonly string[],
  longest: number,
): Promise<ScoredText[] | null> {
  const { rows } = await encodeAll(open, before, starts)
  if (rows.some(({ ids }) => ids.length > longest)) return null
  return rows.map(({ ids, from }) => ({ key, ids, from: Math.max(1, from) }))
}

function splitSpaces(text: string): [string, string] {
  const trimmed = text.trimEnd()
  return [trimmed, text.slice(trimmed.length)]
}
