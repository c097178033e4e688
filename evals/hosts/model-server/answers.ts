/** @file What a request asks of the batch, and how its replies come back: whole, or piece by piece. */
import { randomInt } from 'node:crypto'
import type { Scored } from '../../inference/serving/choose.ts'
import type { Written } from '../../inference/serving/batcher.ts'
import type { ServedModel } from '../../measure/serving/open-served.ts'
import type { ReplyStart } from '../../models/text/thoughts.ts'
import { createReply, type Reply, type Texts } from './reply.ts'

export interface PromptTokens {
  readonly ids: readonly number[]
  /** Absent for a plain text. */
  readonly start?: ReplyStart
}

export interface Wanted {
  readonly prompts: readonly PromptTokens[]
  /** Replies to each prompt. */
  readonly n: number
  readonly maxTokens: number | undefined
  readonly temperature: number | undefined
  readonly topP: number | undefined
  readonly seed: number | undefined
  readonly stops: readonly string[]
  /** Likeliest tokens shown beside each; undefined for no log-probabilities. */
  readonly top: number | undefined
  readonly scoresPrompt: boolean
}

export interface Answer {
  /** Position among all replies: prompt · n + number. */
  readonly index: number
  readonly reply: Reply
  readonly finish: 'stop' | 'length'
  readonly prompt: readonly Scored[]
}

export interface Piece extends Texts {
  readonly index: number
  readonly reply: Reply
  /** Tokens of `reply` that are told already. */
  readonly told: number
  readonly finish: Answer['finish'] | null
}

/** Answers every prompt n times. `onPiece` gets what is new of a text as soon as it is settled. */
export async function answer(
  model: ServedModel,
  wanted: Wanted,
  signal: AbortSignal,
  onPiece?: (piece: Piece) => void,
): Promise<Answer[]> {
  const seed = wanted.seed ?? randomInt(2 ** 47)
  /** Where one reply fails, the others of the request are not written for nobody. */
  const others = new AbortController()
  const shared = { model, wanted, seed, signal: AbortSignal.any([signal, others.signal]), onPiece }
  try {
    return await Promise.all(
      wanted.prompts.flatMap((prompt, p) =>
        Array.from({ length: wanted.n }, (_, k) => answerOne(shared, prompt, p * wanted.n + k)),
      ),
    )
  } finally {
    others.abort()
  }
}

interface Shared {
  readonly model: ServedModel
  readonly wanted: Wanted
  readonly seed: number
  readonly signal: AbortSignal
  readonly onPiece: ((piece: Piece) => void) | undefined
}

async function answerOne(
  { model: { lane, adapter }, wanted, seed, signal, onPiece }: Shared,
  prompt: PromptTokens,
  index: number,
): Promise<Answer> {
  const number = index % wanted.n
  const reply = createReply(lane.open.tokenizer, prompt, wanted.stops)
  const tell = onPiece && teller(index, reply, onPiece)
  const room = Math.max(0, lane.maxPositions - prompt.ids.length)
  const { stop, prompt: scores = [] } = await lane.batcher.write({
    ids: prompt.ids,
    adapter,
    // A longer reply than fits ends where the context does; a prompt that leaves no room is refused.
    maxNewTokens: room === 0 ? 1 : Math.min(wanted.maxTokens ?? room, room),
    temperature: wanted.temperature ?? 1,
    topP: wanted.topP ?? 1,
    seed,
    // As a conversation in the workbench draws, so that equal seeds give equal replies.
    stream: number === 0 ? 'talk' : `talk ${number}`,
    top: wanted.top,
    scoresPrompt: wanted.scoresPrompt,
    signal,
    onToken(chosen, isEnd) {
      const isEnough = reply.add(chosen, isEnd)
      tell?.(null)
      return isEnough
    },
  })
  const finish = finishOf(stop)
  tell?.(finish)
  return { index, reply, finish, prompt: scores }
}

const finishOf = (stop: Written['stop']): Answer['finish'] =>
  stop === 'length' ? 'length' : 'stop'

/** Tells what is new of the texts, and at last the rest with the reason of its end. */
function teller(index: number, reply: Reply, onPiece: (piece: Piece) => void) {
  let before: Texts = { text: '', thought: '' }
  let told = 0
  return (finish: Answer['finish'] | null) => {
    const now = reply.texts(finish !== null)
    const piece = {
      text: added(before.text, now.text),
      thought: added(before.thought, now.thought),
    }
    if (finish === null && piece.text === '' && piece.thought === '') return
    onPiece({ index, reply, told, finish, ...piece })
    before = now
    told = reply.tokens.length
  }
}

/** Nothing where what was an answer turned out to begin a thought. */
const added = (before: string, now: string): string =>
  now.startsWith(before) ? now.slice(before.length) : ''
