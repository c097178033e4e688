/** @file Types of generation: prompts as tokens, decoding options, a model state's options, and generated replies. */
import type { Completion } from '../contract/rows.ts'
import type { Feeds } from '../runtime/tensor.ts'
import type { CachedSession } from './cached-graph.ts'

export interface Decoding {
  readonly maxNewTokens: number
  /** 0 is greedy. */
  readonly temperature: number
  readonly seed: number
}

export interface TokenPrompt {
  /** What an error calls it. */
  readonly key: string
  /** Names its own random numbers, so that a sampled answer does not depend on its neighbours; its key if not given. */
  readonly stream?: string
  readonly ids: readonly number[]
  /** Its place among the session's adapters, where there are several. */
  readonly adapter?: number
}

export interface GenerateOptions {
  readonly session: CachedSession
  /** What is fed on each run because it is not frozen (see ModelState for what that costs). */
  readonly varying: Feeds
  readonly decoding: Decoding
  readonly endIds: ReadonlySet<number>
  readonly padId: number
  readonly batchSize: number
  readonly signal: AbortSignal
}

export interface GeneratedTokens {
  readonly index: number
  readonly tokenIds: number[]
  /** What it wrote: `tokenIds`, and the token that ended it. */
  readonly writtenIds: number[]
  readonly stop: Completion['stop']
  /** Nats a token, over `writtenIds`. */
  readonly meanLogProb: number
}
