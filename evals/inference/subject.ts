/** @file A subject: whatever answers prompts and scores texts, with everything that identifies it. */
import type { Completion, Message, SubjectIdentity } from '../contract/rows.ts'
import type { OpenModel } from '../models/checkpoint.ts'
import type { Feeds } from '../runtime/tensor.ts'
import type { CachedSession } from './cached-graph.ts'
import {
  encodeBefore,
  encodeContinuation,
  encodeOpenings,
  type Before,
  type Continuation,
  type ContinuationScore,
} from './continuation.ts'
import type { Decoding, TokenPrompt } from './decoding.ts'
import { rollingScore, tokensOf, windowsOf, type RollingScore } from './rolling.ts'
import { tokenModel, type TokenModel } from './token-model.ts'

interface Prompt {
  /** What an error calls it. */
  readonly key: string
  /** Names its own random numbers, where a reply is drawn; its key if not given. */
  readonly stream?: string
  readonly messages: readonly Message[]
}

interface Written {
  readonly index: number
  readonly completion: Completion
  readonly promptIds: readonly number[]
  /** The completion's tokens, and the token that ended it. */
  readonly writtenIds: readonly number[]
}

interface RollingOptions {
  readonly window: number
  readonly onProgress: (tokens: number) => void
  readonly signal: AbortSignal
}

export interface Subject {
  readonly identity: SubjectIdentity
  generate(
    prompts: readonly Prompt[],
    decoding: Decoding,
    signal: AbortSignal,
  ): AsyncIterable<Written>
  /** Log-probabilities in nats of every token but the first of each plain text. */
  logProbs(
    texts: readonly { key: string; text: string }[],
    signal: AbortSignal,
  ): Promise<Float32Array[]>
  /** How probable each continuation is, teacher-forced; nothing is generated. */
  continuations(items: readonly Continuation[], signal: AbortSignal): Promise<ContinuationScore[]>
  /** The same of a few short continuations of each text, which is computed once; null where the model does not take them. */
  openings(
    befores: readonly { key: string; before: Before }[],
    openings: readonly string[],
    signal: AbortSignal,
  ): Promise<(Float32Array[] | null)[]>
  /** Every token of a long text in the order of `pieces`, in windows of at most `window` tokens. */
  rolling(pieces: AsyncIterable<string>, options: RollingOptions): Promise<RollingScore>
  /** Greedy replies, in order, to plain texts or conversations. */
  complete(
    items: readonly { key: string; before: Before }[],
    maxNewTokens: number,
    signal: AbortSignal,
  ): Promise<string[]>
  /** The text's first tokens, as text. */
  clip(text: string, tokens: number): string
  /** Whether the model takes this text and writes so many tokens after it. */
  fits(before: Before, newTokens: number): Promise<boolean>
}

interface LocalSubjectOptions {
  readonly identity: SubjectIdentity
  readonly open: Pick<OpenModel, 'tokenizer' | 'template'>
  readonly session: CachedSession
  /** Adapter or weights of this state, fed on each run. */
  readonly varying: Feeds
  readonly batchSize: number
}

/** A model state with a session of its own. */
export const localSubject = ({ varying, batchSize, ...options }: LocalSubjectOptions): Subject => {
  const { session, open } = options
  const shared = { session, varying, padId: open.tokenizer.padId, batchSize }
  return tokenSubject({ ...options, maxPositions: session.maxPositions, model: tokenModel(shared) })
}

interface TokenSubjectOptions extends Pick<LocalSubjectOptions, 'identity' | 'open'> {
  readonly model: TokenModel
  readonly maxPositions: number
}

export function tokenSubject({
  identity,
  open,
  model,
  maxPositions,
}: TokenSubjectOptions): Subject {
  const { tokenizer, template } = open
  return {
    identity,
    async *generate(prompts, decoding, signal) {
      const rendered: TokenPrompt[] = []
      for (const { messages, ...named } of prompts) {
        rendered.push({
          ...named,
          ids: tokenizer.encode(await template.render(messages, { addGenerationPrompt: true })),
        })
      }
      const writing = { decoding, endIds: new Set(tokenizer.endIds), signal }
      for await (const batch of model.generate(rendered, writing)) {
        for (const { index, tokenIds, writtenIds, stop, meanLogProb } of batch) {
          const completion = { text: tokenizer.decode(tokenIds), tokenIds, stop, meanLogProb }
          yield { index, completion, promptIds: rendered[index]!.ids, writtenIds }
        }
      }
    },
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
    async openings(befores, openings, signal) {
      const encoded = await Promise.all(
        befores.map((each) => encodeOpenings(open, each, openings, maxPositions)),
      )
      const texts = encoded.filter((rows) => rows !== null)
      const scores = await model.openings(texts.flat(), signal)
      let next = 0
      return encoded.map((rows) => rows && scores.slice(next, (next += rows.length)))
    },
    rolling(pieces, { window, onProgress, signal }) {
      const size = Math.min(window, maxPositions)
      const start = tokenizer.startId ?? tokenizer.padId
      const windows = windowsOf(tokensOf(pieces, tokenizer), start, size)
      return rollingScore(windows, (texts) => model.score(texts, signal), onProgress)
    },
    async complete(items, maxNewTokens, signal) {
      const prompts = await Promise.all(
        items.map(async ({ key, before }) => ({ key, ids: await encodeBefore(open, before) })),
      )
      const decoding = { maxNewTokens, temperature: 0, seed: 0 }
      const writing = { decoding, endIds: new Set(tokenizer.endIds), signal }
      const replies = new Array<string>(items.length)
      for await (const batch of model.generate(prompts, writing)) {
        for (const { index, tokenIds } of batch) replies[index] = tokenizer.decode(tokenIds)
      }
      return replies
    },
    fits: async (before, newTokens) =>
      (await encodeBefore(open, before)).length + newTokens <= maxPositions,
    clip: (text, tokens) => {
      const ids = tokenizer.encode(text)
      return ids.length <= tokens ? text : tokenizer.decode(ids.slice(0, tokens))
    },
  }
}
