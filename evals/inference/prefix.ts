/**
 * @file Computes the common prefix of all prompts, such as a system prompt, once. Its keys and values are copied into each
 * prompt's slot and the rest of the prompt is computed after them, with the same bits as the whole prompt.
 */
import type { CacheBuffers } from './cached-graph.ts'
import { evenWidth, prefill } from './feeds.ts'
import type { GenerateOptions, TokenPrompt } from './decoding.ts'
import { graphFor } from './sampling.ts'
import { openSlots } from './slots.ts'

export interface Prefix {
  /** Tokens. */
  readonly length: number
  /** Its first row holds the prefix. */
  readonly cache: CacheBuffers
  readonly free: () => void
}

/** Shortest prefix in tokens worth sharing: the rest of each prompt then needs a run of its own, which reads every weight. */
const WORTH_SHARING = 64
/** Fewest prompts, for the same reason. */
const WORTH_READING = 3

/** Returns undefined where sharing does not pay or would change bits. */
export async function sharedPrefix(
  prompts: readonly TokenPrompt[],
  options: GenerateOptions,
): Promise<Prefix | undefined> {
  const { session, varying, padId, decoding } = options
  const isExact =
    session.splitsPrompts === true &&
    Object.keys(varying).length === 0 &&
    prompts.every(({ adapter }) => adapter === undefined)
  const length = isExact && prompts.length >= WORTH_READING ? commonLength(prompts) : 0
  if (length < WORTH_SHARING) return undefined
  const ids = prompts[0]!.ids.slice(0, length)
  const slots = openSlots(session.cache, 2, evenWidth(length))
  const cache = slots.rows(0, 2)
  const feeds = prefill([{ ids }, { ids }], evenWidth(length), padId)
  await session.run(graphFor(decoding), { ...cache.past, ...feeds }, cache.present)
  return { length, cache, free: () => slots.free() }
}

/** Number of common first tokens; each prompt has at least one more. */
function commonLength(prompts: readonly TokenPrompt[]): number {
  const [first, ...others] = prompts.map(({ ids }) => ids)
  let length = Math.min(...prompts.map(({ ids }) => ids.length)) - 1
  for (const ids of others) {
    const differs = ids.findIndex((id, i) => i >= length || id !== first![i])
    if (differs >= 0) length = Math.min(length, differs)
  }
  return length
}
