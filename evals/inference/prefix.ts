/**
 * @file What all prompts of a run begin with, a system prompt or a template's head, is read once. Its keys and values are
 * copied into each prompt's slot, and the rest is read behind them, in the bits of reading the prompt whole.
 */
import type { CacheBuffers } from './cached-graph.ts'
import { evenWidth, prefill } from './feeds.ts'
import type { GenerateOptions, TokenPrompt } from './decoding.ts'
import { graphFor } from './sampling.ts'
import { openSlots } from './slots.ts'

export interface Prefix {
  /** Tokens. */
  readonly length: number
  /** Its first row holds them. */
  readonly cache: CacheBuffers
}

/** Tokens from which on sharing pays: the rest of each prompt is then read in a run of its own, which reads every weight. */
const WORTH_SHARING = 64
/** Prompts, for the same reason. */
const WORTH_READING = 3

/** Undefined where nothing is worth sharing, or where it would change bits. */
export async function sharedPrefix(
  prompts: readonly TokenPrompt[],
  options: GenerateOptions,
): Promise<Prefix | undefined> {
  const { session, varying, padId, decoding } = options
  const isExact =
    session.readsOn === true &&
    Object.keys(varying).length === 0 &&
    prompts.every(({ adapter }) => adapter === undefined)
  const length = isExact && prompts.length >= WORTH_READING ? commonLength(prompts) : 0
  if (length < WORTH_SHARING) return undefined
  const ids = prompts[0]!.ids.slice(0, length)
  const cache = openSlots(session.cache, 2, evenWidth(length)).rows(0, 2)
  const feeds = prefill([{ ids }, { ids }], evenWidth(length), padId)
  await session.run(graphFor(decoding), { ...cache.past, ...feeds }, cache.present)
  return { length, cache }
}

/** Tokens that all begin with; each has at least one more. */
function commonLength(prompts: readonly TokenPrompt[]): number {
  const [first, ...others] = prompts.map(({ ids }) => ids)
  let length = Math.min(...prompts.map(({ ids }) => ids.length)) - 1
  for (const ids of others) {
    const differs = ids.findIndex((id, i) => i >= length || id !== first![i])
    if (differs >= 0) length = Math.min(length, differs)
  }
  return length
}
