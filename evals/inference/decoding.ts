/** @file Types of generation: prompts as tokens, decoding options, a model state's options, and generated replies. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { Completion } from '../contract/rows.ts'
import type { Feeds } from '../runtime/tensor.ts'
import type { CachedSession } from './cached-graph.ts'

export interface Decoding {
  /** Longest answer. */
  readonly maxNewTokens: number
  /** Longest thought before the answer; 0 if absent. */
  readonly maxThinkingTokens?: number
  /** 0 is greedy. */
  readonly temperature: number
  readonly seed: number
}

export interface TokenPrompt {
  /** Named in errors. */
  readonly key: string
  /** Names the prompt's random stream, so that a sampled reply does not depend on the batch; defaults to the key. */
  readonly stream?: string
  readonly ids: readonly number[]
  /** Gives a counter of one reply's tokens, true once they are enough; without one the reply may have `longestReply` tokens. */
  readonly budget?: () => (token: number) => boolean
  /** Index among the session's adapters, if it has several. */
  readonly adapter?: number
}

/** An error for a text that a model of `limit` positions cannot take. */
export function requireFits(key: string, tokens: number, limit: number): void {
  if (tokens < 1 || tokens > limit)
    throw new TouchstoneError('prompt.too-long', { key, tokens, limit })
}

/** Longest reply, thought and answer together. */
export const longestReply = ({ maxNewTokens, maxThinkingTokens = 0 }: Decoding): number =>
  maxNewTokens + maxThinkingTokens

export interface GenerateOptions {
  readonly session: CachedSession
  /** Tensors fed on each run because they are not frozen (ModelState explains the cost). */
  readonly varying: Feeds
  readonly decoding: Decoding
  readonly endIds: ReadonlySet<number>
  readonly padId: number
  /** Most rows of a run. */
  readonly batchSize: number
  /** Of a run's keys and values; `batchSize` is lowered to them, not below 16 (slots.ts). */
  readonly cacheBytes?: number
  readonly signal: AbortSignal
}

export interface GeneratedTokens {
  readonly index: number
  readonly tokenIds: number[]
  /** `tokenIds` and the end token. */
  readonly writtenIds: number[]
  readonly stop: Completion['stop']
  /** Nats per token, over `writtenIds`. */
  readonly meanLogProb: number
}
