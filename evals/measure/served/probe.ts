/** @file What a server can be asked, found by asking it harmless questions; and whether it answers what it was asked. */
import type { Message } from '../../contract/rows.ts'
import { GIVEN_LOG_PROBS, type Capabilities } from '../../contract/subjects/served.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { z } from 'zod'
import { Failure, Unreachable, Untrusted } from '../../judges/transport.ts'
import { completionOf, jsonOf, nameOf, readReply, type ServedReply } from './completion.ts'
import type { Asked, Fleet } from './fleet.ts'
import { chatRequest, type Question, type Watch } from './question.ts'
import { scoreRequest, type Way } from './scoring.ts'

interface Probe {
  readonly fleet: Fleet
  /** Which of its addresses. */
  readonly index: number
  readonly model: string
  readonly watch: Watch
  readonly signal: AbortSignal
}

const FIRST: Message = { role: 'user', content: 'When is breakfast?' }
const SECOND: Message = { role: 'user', content: 'Name a colour of the sky, in one word.' }
const MANNERS: Message = { role: 'system', content: 'You answer in few words.' }
/** Of words that small vocabularies have, Pebble’s among them: a server that cannot give the text back scores another one. */
const TEXT = 'The pool opens in the morning.'
/** Enough to see whether two replies are alike. */
const REPLY_TOKENS = 12

const Models = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      max_model_len: z.int().nullish(),
      meta: z.object({ n_ctx: z.int().nullish() }).nullish(),
    }),
  ),
})

/** Names that the server lists, and its context length; null where it lists none, and why if it said so. */
export async function modelsAt(
  { fleet, index, signal }: Pick<Probe, 'fleet' | 'index' | 'signal'>,
  told?: (why: Failure) => void,
) {
  const read = (answer: Buffer) => Models.safeParse(jsonOf(answer)).data?.data ?? null
  const question = { what: 'its list of models', path: '/models', read }
  return (await tried(() => fleet.askAt(index, question, signal), told)) ?? null
}

/** Undefined where the server refuses, which `told` hears; an address that cannot be reached throws. */
async function tried<T>(
  ask: () => Promise<T>,
  told?: (why: Failure) => void,
): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    const isThere = !(error instanceof Unreachable || error instanceof Untrusted)
    if (!(error instanceof Failure) || !isThere) throw error
    told?.(error)
    return undefined
  }
}

interface Listing {
  readonly address: string
  /** Null where there is none. */
  readonly listed: readonly string[] | null
  /** Why there is none. */
  readonly failure: Failure | undefined
}

/** The name to ask for: the one that was given, or the only one that the server lists. */
export function modelName(asked: string | null, { address, listed, failure }: Listing): string {
  const known = listed?.slice(0, 20).map(nameOf).join(', ') ?? ''
  const none = failure ? `gives no list (${failure.reason})` : 'lists none'
  if (asked !== null && (listed === null || listed.includes(asked))) return asked
  if (asked === null && listed?.length === 1) return listed[0]!
  const why =
    asked === null
      ? `no model is named after #, and it ${known === '' ? none : `lists ${known}`}`
      : `it lists no model "${asked}" but ${known === '' ? 'none' : known}`
  const remedy = `Name one of its models: ${address}#MODEL.`
  throw new TouchstoneError('served.address', { address, why, remedy })
}

/** Throws `served.address` where it answers no chat, and `served.unreliable` where it answers another prompt. */
export async function probe(given: Probe): Promise<Capabilities> {
  const listed = await modelsAt(given)
  const ask = (question: Partial<Question>) => askedAt(given, question)
  const logged = await tried(() => ask({ logProbs: true }))
  let why: Failure | undefined
  const first =
    logged ??
    (await tried(
      () => ask({}),
      (failure) => (why = failure),
    ))
  if (!first) throw noChat(given, why!)
  const again = [
    await ask({}),
    await ask({ messages: [SECOND] }),
    await ask({ messages: [SECOND] }),
  ]
  const both = await Promise.all([ask({}), ask({ messages: [SECOND] })])
  requireOwnAnswers([first, ...again], both, addressOf(given))
  const completion = completionOf(first)
  return {
    chat: true,
    replyLogProbs: logged !== undefined && completion.meanLogProb !== null,
    ...(await plainText(given)),
    seeds: await seedsOf(ask),
    usage: first.word.promptTokens !== null && first.word.completionTokens !== null,
    systemRole: (await tried(() => ask({ messages: [MANNERS, FIRST] }))) !== undefined,
    template: (await renderedAt(given, [FIRST])) !== null,
    contextLength: contextLength(listed, given.model),
    models: listed?.map(({ id }) => id.slice(0, 200)) ?? null,
    reasoning: reasoningOf([first, ...again]),
  }
}

const addressOf = ({ fleet, index }: Pick<Probe, 'fleet' | 'index'>) => fleet.addresses[index]!

const noChat = (given: Probe, { reason }: Failure) =>
  new TouchstoneError('served.address', {
    address: addressOf(given),
    why: `it answers no chat completion (${reason})`,
    remedy:
      'Check the path: it ends before /chat/completions, mostly in /v1; and its key, with --key-env NAME.',
  })

function askedAt({ fleet, index, model, watch, signal }: Probe, question: Partial<Question>) {
  const usual = { what: 'a first question', messages: [FIRST], maxTokens: REPLY_TOKENS }
  const whole = { ...usual, temperature: 0, seed: 0, logProbs: false, ...question }
  return fleet.askAt(index, chatRequest(model, whole, watch), signal)
}

/**
 * Asked A, A, B, B, one that answers with the reply to the prompt before gives …, a, a, b: its B is A's, and then is not. Asked A and
 * B at once, one that gives replies in the order in which they are done may give b, a.
 */
function requireOwnAnswers(
  replies: readonly ServedReply[],
  both: readonly ServedReply[],
  address: string,
): void {
  const [, second, third, fourth] = replies.map((reply) => completionOf(reply).text)
  const [a, b] = both.map((reply) => completionOf(reply).text)
  const isLate = third !== fourth && third === second
  const isSwapped = second !== fourth && a === fourth && b === second
  if (!isLate && !isSwapped) return
  throw new TouchstoneError('served.unreliable', {
    address,
    why: isLate
      ? 'it answered a prompt with the reply to the one before'
      : 'it answered two prompts that were asked at once with the replies to each other',
    remedy: 'Restart it, or serve the model with another program.',
  })
}

const SEEDS = [1, 1, 2]

async function seedsOf(
  ask: (question: Partial<Question>) => Promise<ServedReply>,
): Promise<boolean | null> {
  const texts: string[] = []
  for (const seed of SEEDS) {
    const reply = await tried(() => ask({ temperature: 1, seed, maxTokens: 3 * REPLY_TOKENS }))
    if (!reply) return false
    texts.push(completionOf(reply).text)
  }
  const [one, same, other] = texts
  if (one !== same) return false
  return same === other ? null : true
}

async function plainText(
  given: Probe,
): Promise<Pick<Capabilities, 'completions' | 'givenLogProbs' | 'tokenIds'>> {
  const { fleet, index, model, signal } = given
  const body = { model, prompt: TEXT, max_tokens: 1, temperature: 0, stream: false }
  const asked = (more: object): Asked<ServedReply> => ({
    what: 'a first text',
    path: '/completions',
    body: { ...body, ...more },
    read: readReply,
  })
  const plain = await tried(() => fleet.askAt(index, asked({}), signal))
  const withIds =
    plain && (await tried(() => fleet.askAt(index, asked({ return_token_ids: true }), signal)))
  let way: Way | null = null
  for (const each of plain ? GIVEN_LOG_PROBS : []) {
    const request = scoreRequest(model, each, { what: 'a first text', prompt: TEXT })
    const found = await tried(() => fleet.askAt(index, request, signal))
    const text = found?.pieces.map((piece) => piece.text).join('') ?? ''
    if (text.trim().endsWith(TEXT)) way ??= each
  }
  return {
    completions: plain !== undefined,
    givenLogProbs: way,
    tokenIds: (withIds?.choice.token_ids ?? null) !== null,
  }
}

const Rendered = z.object({ prompt: z.string() })

/** The text that the server's template makes of messages, as llama.cpp's server shows it; null where it shows none. */
export async function renderedAt(
  { fleet, index, signal }: Pick<Probe, 'fleet' | 'index' | 'signal'>,
  messages: readonly Message[],
): Promise<string | null> {
  const read = (answer: Buffer) => Rendered.safeParse(jsonOf(answer)).data?.prompt ?? null
  // Beside `/v1`, not under it.
  const asked = { what: 'a rendering', path: '/../apply-template', body: { messages }, read }
  return (await tried(() => fleet.askAt(index, asked, signal))) ?? null
}

function contextLength(listed: Awaited<ReturnType<typeof modelsAt>>, model: string): number | null {
  const own = listed?.find(({ id }) => id === model)
  return own?.max_model_len ?? own?.meta?.n_ctx ?? null
}

function reasoningOf(replies: readonly ServedReply[]): Capabilities['reasoning'] {
  for (const { choice } of replies) {
    if (choice.message?.reasoning_content) return 'reasoning_content'
    if (choice.message?.reasoning) return 'reasoning'
    if (/^\s*<think>/u.test(choice.message?.content ?? '')) return 'inline'
  }
  return null
}
