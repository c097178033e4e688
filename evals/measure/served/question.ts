/** @file One question to a served model, and the watch over who answers. */
import type { Message } from '../../contract/rows.ts'
import type { ServedWord } from '../../contract/subjects/served.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { nameOf, readReply, type ServedReply } from './completion.ts'
import type { Asked } from './fleet.ts'

export interface Question {
  /** For errors. */
  readonly what: string
  readonly messages: readonly Message[]
  readonly maxTokens: number
  readonly temperature: number
  readonly seed: number
  /** Whether log-probabilities of the reply are asked for. */
  readonly logProbs: boolean
}

/** Who answers; both null where the server does not say. */
export type Answerer = Pick<ServedWord, 'model' | 'fingerprint'>

export interface Watch {
  /** Throws `served.changed` where another answers than before. */
  see(word: Answerer, address: string): void
  readonly seen: Answerer | undefined
}

/** @param known who answered in an earlier attempt at the same run */
export function watchOver(known?: Answerer): Watch {
  let seen = known
  return {
    get seen() {
      return seen
    },
    see({ model, fingerprint }, address) {
      seen ??= { model, fingerprint }
      requireSame({ address, field: 'model' }, seen.model, model)
      requireSame({ address, field: 'fingerprint' }, seen.fingerprint, fingerprint)
    },
  }
}

function requireSame(
  of: { readonly address: string; readonly field: string },
  before: string | null,
  after: string | null,
): void {
  if (before === after) return
  const said = (value: string | null) => value ?? 'not said'
  throw new TouchstoneError('served.changed', { ...of, before: said(before), after: said(after) })
}

/** A request for a chat completion; `watch` sees who answers. */
export function chatRequest(model: string, question: Question, watch: Watch): Asked<ServedReply> {
  const { what, messages, maxTokens: max_tokens, temperature, seed, logProbs } = question
  const drawing = { temperature, ...(temperature === 0 ? {} : { top_p: 1 }), seed }
  const body = { model, messages, max_tokens, ...drawing, stream: false }
  return {
    what,
    path: '/chat/completions',
    body: logProbs ? { ...body, logprobs: true } : body,
    read(answer, address) {
      const reply = readReply(answer)
      requireAsked(model, reply.word, address)
      watch.see(reply.word, address)
      requireLength(reply.word, question, address)
      return reply
    },
  }
}

function requireAsked(asked: string, { model }: ServedWord, address: string): void {
  if (model === null || model === nameOf(asked)) return
  throw new TouchstoneError('served.unreliable', {
    address,
    why: `it was asked for the model "${asked}", and "${model}" answered`,
    remedy: `Name it ${address}#${model} if that is the model that is meant.`,
  })
}

/** Servers count an end token, or do not. */
const COUNTING = 2

function requireLength(
  { finish, completionTokens }: ServedWord,
  { maxTokens }: Question,
  address: string,
): void {
  if (finish !== 'length' || completionTokens === null) return
  if (completionTokens + COUNTING > maxTokens) return
  throw new TouchstoneError('served.unreliable', {
    address,
    why: `it cut a reply at ${completionTokens} tokens where ${maxTokens} were asked for`,
    remedy:
      'Raise its own limit of tokens or its context length, or ask for shorter replies with --max-new-tokens.',
  })
}
