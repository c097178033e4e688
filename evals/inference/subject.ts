/** @file A subject is an identified model state that answers prompts and scores texts. */
import type { Completion, Message, SubjectIdentity } from '../contract/rows.ts'
import type { ServedWord } from '../contract/subjects/served.ts'
import type { OpenModel, Tokenizer } from '../models/checkpoint.ts'
import type { Model } from '../models/registry.ts'
import type { ReplyStart } from '../models/text/thoughts.ts'
import type { Device } from '../runtime/device.ts'
import type { Feeds } from '../runtime/tensor.ts'
import type { CachedSession } from './cached-graph.ts'
import type { EncoderGraph } from './encoder-session.ts'
import {
  encodeBefore,
  encodeContinuation,
  encodeReplyStarts,
  type Before,
  type Continuation,
  type ContinuationScore,
} from './continuation.ts'
import type { Decoding, TokenPrompt } from './decoding.ts'
import { budgetFor, completionOf, renderPrompt, replyTokens, withRoomToThink } from './prompt.ts'
import { rollingScore, tokensOf, windowsOf, type RollingScore } from './rolling.ts'
import { tokenModel, type TokenModel } from './token-model.ts'

interface Prompt {
  /** Named in errors. */
  readonly key: string
  /** Names the random stream of a sampled reply; defaults to the key. */
  readonly stream?: string
  readonly messages: readonly Message[]
}

interface Reply {
  readonly index: number
  readonly completion: Completion
  readonly promptIds: readonly number[]
  /** The completion's tokens and its end token. */
  readonly writtenIds: readonly number[]
  /** Of a model behind an address, whose token ids are not known: what its server says, and what stands for the prompt's ids. */
  readonly served?: ServedWord
  readonly promptDigest?: string
}

interface RollingOptions {
  readonly window: number
  readonly onProgress: (tokens: number) => void
  readonly signal: AbortSignal
}

/** A network with its adapters merged into its weights, for what computes with more than one of them. */
export interface NetworkState {
  readonly model: Model
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly device: Device
}

export interface Subject {
  readonly identity: SubjectIdentity
  generate(
    prompts: readonly Prompt[],
    decoding: Decoding,
    signal: AbortSignal,
  ): AsyncIterable<Reply>
  /** Log-probabilities in nats of every token but the first of each plain text. */
  logProbs(
    texts: readonly { key: string; text: string }[],
    signal: AbortSignal,
  ): Promise<Float32Array[]>
  /** Teacher-forced log-probabilities of each continuation. */
  continuations(items: readonly Continuation[], signal: AbortSignal): Promise<ContinuationScore[]>
  /** The same for every short reply start after every text. A text is computed once; its result is null where a start does not fit. */
  replyStartScores(
    befores: readonly { key: string; before: Before }[],
    starts: readonly string[],
    signal: AbortSignal,
  ): Promise<(Float32Array[] | null)[]>
  /** Log-likelihood of a long text, given as consecutive pieces, in windows of at most `window` tokens. */
  rolling(pieces: AsyncIterable<string>, options: RollingOptions): Promise<RollingScore>
  /** Greedy replies to plain texts or conversations, in order. */
  complete(
    items: readonly { key: string; before: Before }[],
    maxNewTokens: number,
    signal: AbortSignal,
  ): Promise<string[]>
  /** Closes its graphs, which the next question opens again, so that another model can be packed meanwhile. */
  rest?(): Promise<void>
  /** Encoders only: what the network gives for each text, over its classes or as one vector of length 1. */
  outputs?(
    graph: EncoderGraph,
    texts: readonly string[],
    signal: AbortSignal,
  ): Promise<Float32Array[]>
  /** Encoders only. */
  network?(): Promise<NetworkState>
  /** The text's first tokens, as text. */
  clip(text: string, tokens: number): string
  /** Whether the text and `newTokens` more tokens fit the model's context. */
  fits(before: Before, newTokens: number): Promise<boolean>
}

interface LocalSubjectOptions {
  readonly identity: SubjectIdentity
  readonly open: Pick<OpenModel, 'tokenizer' | 'template'>
  readonly session: CachedSession
  /** The state's adapter or weights, fed on each run. */
  readonly varying: Feeds
  readonly batchSize: number
}

/** A subject with its own session. */
export const localSubject = ({ varying, batchSize, ...options }: LocalSubjectOptions): Subject => {
  const { session, open } = options
  const shared = { session, varying, padId: open.tokenizer.padId, batchSize }
  const { maxPositions } = session
  const subject = tokenSubject({ ...options, maxPositions, model: tokenModel(shared) })
  return { ...subject, rest: () => session.release() }
}

interface TokenSubjectOptions extends Pick<LocalSubjectOptions, 'identity' | 'open'> {
  readonly model: TokenModel
  readonly maxPositions: number
}

export function tokenSubject(options: TokenSubjectOptions): Subject {
  const { identity, open, model, maxPositions } = options
  const { tokenizer } = open
  return {
    identity,
    generate: (prompts, decoding, signal) => generateReplies(options, prompts, decoding, signal),
    logProbs: (texts, signal) =>
      model.score(
        texts.map(({ key, text }) => ({ key, ids: tokenizer.encode(text), from: 1 })),
        signal,
      ),
    async continuations(items, signal) {
      const encoded = await Promise.all(
        // One more than the model takes: the last token is only a label.
        items.map((item) => encodeContinuation(open, item, maxPositions + 1)),
      )
      const scores = await model.score(encoded, signal)
      return encoded.map(({ beforeIds, cut }, i) => ({ logProbs: scores[i]!, beforeIds, cut }))
    },
    async replyStartScores(befores, starts, signal) {
      const encoded = await Promise.all(
        befores.map((each) => encodeReplyStarts(open, each, starts, maxPositions)),
      )
      const texts = encoded.filter((rows) => rows !== null)
      const scores = await model.scoreTree(texts.flat(), signal)
      let next = 0
      return encoded.map((rows) => rows && scores.slice(next, (next += rows.length)))
    },
    rolling(pieces, { window, onProgress, signal }) {
      const size = Math.min(window, maxPositions)
      const start = tokenizer.startId ?? tokenizer.padId
      const windows = windowsOf(tokensOf(pieces, tokenizer), start, size)
      return rollingScore(windows, (texts) => model.score(texts, signal), onProgress)
    },
    complete: (items, maxNewTokens, signal) => complete(options, items, maxNewTokens, signal),
    fits: (before, newTokens) => fits(options, before, newTokens),
    clip: (text, tokens) => clipped(tokenizer, text, tokens),
  }
}

async function fits(
  { open, maxPositions }: TokenSubjectOptions,
  before: Before,
  maxNewTokens: number,
): Promise<boolean> {
  const { length } = await encodeBefore(open, before)
  return length + replyTokens(open, { maxNewTokens }) <= maxPositions
}

async function* generateReplies(
  { open, model }: TokenSubjectOptions,
  prompts: readonly Prompt[],
  asked: Decoding,
  signal: AbortSignal,
): AsyncGenerator<Reply> {
  const { tokenizer } = open
  const decoding = withRoomToThink(open, asked)
  const starts: ReplyStart[] = []
  const rendered: TokenPrompt[] = []
  for (const { messages, ...named } of prompts) {
    const { text, start } = await renderPrompt(open, messages)
    starts.push(start)
    const budget = budgetFor(open, start, decoding)
    rendered.push({ ...named, ids: tokenizer.encode(text), ...budget })
  }
  const settings = { decoding, endIds: new Set(tokenizer.endIds), signal }
  for await (const batch of model.generate(rendered, settings)) {
    for (const { index, writtenIds, ...written } of batch) {
      const completion = completionOf(open, starts[index]!, written)
      yield { index, completion, promptIds: rendered[index]!.ids, writtenIds }
    }
  }
}

/** A plain text has no template, so that a reply to it has one budget. */
async function complete(
  options: TokenSubjectOptions,
  items: readonly { key: string; before: Before }[],
  maxNewTokens: number,
  signal: AbortSignal,
): Promise<string[]> {
  const { open, model } = options
  const replies = new Array<string>(items.length)
  const decoding = { maxNewTokens, temperature: 0, seed: 0 }
  const conversations = items.flatMap(({ key, before }, index) =>
    typeof before === 'string' ? [] : [{ index, key, messages: before }],
  )
  for await (const { index, completion } of generateReplies(
    options,
    conversations,
    decoding,
    signal,
  ))
    replies[conversations[index]!.index] = completion.text
  const plain = [...items.entries()].filter(([, { before }]) => typeof before === 'string')
  const prompts = await Promise.all(
    plain.map(async ([, { key, before }]) => ({ key, ids: await encodeBefore(open, before) })),
  )
  const settings = { decoding, endIds: new Set(open.tokenizer.endIds), signal }
  for await (const batch of model.generate(prompts, settings)) {
    for (const { index, ...written } of batch)
      replies[plain[index]![0]] = completionOf(open, { isInside: false }, written).text
  }
  return replies
}

/** The text's first `tokens` tokens, as text. */
export function clipped(tokenizer: Tokenizer, text: string, tokens: number): string {
  const ids = tokenizer.encode(text)
  return ids.length <= tokens ? text : tokenizer.decode(ids.slice(0, tokens))
}
