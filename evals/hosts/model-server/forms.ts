/** @file The two kinds of requests: how each reads its prompts, and the form of its replies, whole and in pieces. */
import type { z } from 'zod'
import { encodeBefore } from '../../inference/continuation.ts'
import { renderPrompt } from '../../inference/prompt.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Lane } from '../../measure/serving/open-served.ts'
import type { Tokenizer } from '../../models/checkpoint.ts'
import type { Answer, Piece, PromptTokens, Wanted } from './answers.ts'
import { tokenText, type TokenText } from './reply.ts'
import type { ChatRequest, CompletionRequest } from './requests.ts'

type Chat = z.output<typeof ChatRequest>
type Completion = z.output<typeof CompletionRequest>

/** What a request says besides its prompts, and how its replies are written. */
export interface Form {
  readonly model: string
  readonly isStream: boolean
  readonly tellsUsage: boolean
  wanted(lane: Lane): Promise<Wanted>
  readonly object: string
  readonly streamObject: string
  readonly idPrefix: string
  choice(answer: Answer, context: Context): unknown
  piece(piece: Piece): unknown
  /** Sent before the first piece of a reply; undefined for nothing. */
  begin(index: number): unknown
}

interface Context {
  readonly tokenizer: Tokenizer
  readonly prompts: readonly PromptTokens[]
  readonly n: number
}

const stopsOf = (stop: string | string[] | undefined): string[] =>
  stop === undefined ? [] : [stop].flat()

const common = (request: Chat | Completion) => ({
  n: request.n ?? 1,
  temperature: request.temperature,
  topP: request.top_p,
  seed: request.seed,
  stops: stopsOf(request.stop),
})

const streaming = ({ model, stream, stream_options: options }: Chat | Completion) => ({
  model,
  isStream: stream === true,
  tellsUsage: options?.include_usage === true,
})

const promptOf = (index: number, { prompts, n }: Context): PromptTokens =>
  prompts[Math.floor(index / n)]!

/** vLLM's fields, where they are wanted. */
const idsOf = (
  isWanted: boolean | undefined,
  answer: Pick<Answer, 'index' | 'reply'>,
  context: Context,
) =>
  isWanted === true
    ? {
        token_ids: answer.reply.tokens.map(({ id }) => id),
        prompt_token_ids: promptOf(answer.index, context).ids,
      }
    : {}

export function chatForm(request: Chat): Form {
  const isScored = request.logprobs === true
  if (!isScored && (request.top_logprobs ?? 0) > 0)
    throw new TouchstoneError('serve.request', {
      parameter: 'top_logprobs',
      why: 'needs logprobs, which is not asked for',
    })
  const logprobs = (tokens: readonly TokenText[]) => ({
    logprobs: isScored ? { content: tokens.map(chatScore), refusal: null } : null,
  })
  return {
    ...streaming(request),
    object: 'chat.completion',
    streamObject: 'chat.completion.chunk',
    idPrefix: 'chatcmpl',
    wanted: ({ open }) => chatWanted(request, open),
    choice(answer, context) {
      const { text, thought } = answer.reply.texts(true)
      return {
        index: answer.index,
        message: { role: 'assistant', content: text, refusal: null, ...spoken(thought) },
        ...logprobs(answer.reply.tokens),
        finish_reason: answer.finish,
        ...idsOf(request.return_token_ids, answer, context),
      }
    },
    begin: (index) => ({
      index,
      delta: { role: 'assistant', content: '' },
      logprobs: null,
      finish_reason: null,
    }),
    piece: ({ index, reply, told, text, thought, finish }) => ({
      index,
      delta: { ...(text !== '' && { content: text }), ...spoken(thought) },
      ...logprobs(reply.tokens.slice(told)),
      finish_reason: finish,
    }),
  }
}

async function chatWanted(request: Chat, open: Lane['open']): Promise<Wanted> {
  const { text, start } = await renderPrompt(open, request.messages)
  return {
    ...common(request),
    prompts: [{ ids: open.tokenizer.encode(text), start }],
    maxTokens: request.max_completion_tokens ?? request.max_tokens,
    top: request.logprobs === true ? (request.top_logprobs ?? 0) : undefined,
    scoresPrompt: false,
  }
}

/** The field of vLLM, llama.cpp and others for a thought. */
const spoken = (thought: string) => (thought === '' ? {} : { reasoning_content: thought })

const chatScore = ({ text, logProb, top }: TokenText) => ({
  ...chatToken(text, logProb!),
  top_logprobs: top.map((each) => chatToken(each.text, each.logProb)),
})

const chatToken = (token: string, logprob: number) => ({
  token,
  logprob,
  bytes: [...Buffer.from(token)],
})

export function completionForm(request: Completion): Form {
  const isEcho = request.echo === true
  const isScored = request.logprobs !== undefined
  if (isEcho && request.stream === true)
    throw new TouchstoneError('serve.request', { parameter: 'echo', why: 'cannot be streamed' })
  return {
    ...streaming(request),
    object: 'text_completion',
    streamObject: 'text_completion',
    idPrefix: 'cmpl',
    wanted: ({ open }) => completionWanted(request, open),
    choice(answer, context) {
      const tokens = [...(isEcho ? echoed(answer, context) : []), ...answer.reply.tokens]
      const echo = isEcho ? context.tokenizer.decode(promptOf(answer.index, context).ids) : ''
      return {
        index: answer.index,
        text: echo + answer.reply.texts(true).text,
        logprobs: isScored ? completionScores(tokens, 0) : null,
        finish_reason: answer.finish,
        ...idsOf(request.return_token_ids, answer, context),
      }
    },
    begin: () => undefined,
    piece: ({ index, reply, told, text, finish }) => ({
      index,
      text,
      logprobs: isScored ? completionScores(reply.tokens, told) : null,
      finish_reason: finish,
    }),
  }
}

async function completionWanted(request: Completion, open: Lane['open']): Promise<Wanted> {
  const { prompt } = request
  const isOne = typeof prompt === 'string' || typeof prompt[0] === 'number'
  const prompts = (isOne ? [prompt] : prompt) as readonly (string | number[])[]
  const encoded = prompts.map(async (each) => ({
    ids: typeof each === 'string' ? await encodeBefore(open, each) : known(open, each),
  }))
  return {
    ...common(request),
    prompts: await Promise.all(encoded),
    // OpenAI's default of this path.
    maxTokens: request.max_tokens ?? 16,
    top: request.logprobs,
    scoresPrompt: request.echo === true && request.logprobs !== undefined,
  }
}

function known({ tokenizer }: Lane['open'], ids: readonly number[]): readonly number[] {
  const wrong = ids.find((id) => id >= tokenizer.vocabSize)
  if (wrong === undefined) return ids
  throw new TouchstoneError('serve.request', {
    parameter: 'prompt',
    why: `holds the token ${wrong}; there are ${tokenizer.vocabSize}`,
  })
}

/** The prompt's tokens; the first has no log-probability. */
function echoed({ index, prompt }: Answer, context: Context): TokenText[] {
  const { ids } = promptOf(index, context)
  return ids.map((id, i) => tokenText(context.tokenizer, ids.slice(0, i), id, prompt[i - 1]))
}

function completionScores(all: readonly TokenText[], from: number) {
  let offset = all.slice(0, from).reduce((sum, { text }) => sum + text.length, 0)
  const tokens = all.slice(from)
  return {
    tokens: tokens.map(({ text }) => text),
    token_logprobs: tokens.map(({ logProb }) => logProb),
    top_logprobs: tokens.map((token) => (token.logProb === null ? null : bestOf(token))),
    text_offset: tokens.map(({ text }) => (offset += text.length) - text.length),
  }
}

/** By text; of two tokens with the same text, the likelier. */
function bestOf({ text, logProb, top }: TokenText): Record<string, number> {
  const best: Record<string, number> = {}
  for (const each of top) best[each.text] ??= each.logProb
  best[text] ??= logProb!
  return best
}
