/**
 * @file Batched generation with a cache, greedy or sampled with a seed. A prompt's tokens and log-probabilities have the same
 * bits in any batch, order and padding. A single row is doubled (`inCompany`) where one row uses another matrix kernel.
 */
import {
  longestReply,
  requireFits,
  type GeneratedTokens,
  type GenerateOptions,
  type TokenPrompt,
} from './decoding.ts'
import { sharedPrefix } from './prefix.ts'
import { rowsWithin } from './slots.ts'
import { replyOf, newRow, startGeneration } from './writing.ts'

/**
 * Generates a reply for every prompt, longest first to reduce padding; `index` is the prompt's position. At most `batchSize`
 * prompts run at a time, fewer where their cache would be large, and a finished one frees its slot for the next.
 */
export async function* generate(
  prompts: readonly TokenPrompt[],
  options: GenerateOptions,
): AsyncGenerator<GeneratedTokens[]> {
  const { session, decoding, signal } = options
  refuseTooLong(prompts, options)
  const rows = prompts
    .map(newRow)
    .sort((a, b) => b.prompt.ids.length - a.prompt.ids.length || a.index - b.index)
  if (rows.length === 0) return
  signal.throwIfAborted()
  const prefix = await sharedPrefix(prompts, options)
  const capacity = rows[0]!.prompt.ids.length + longestReply(decoding)
  const most = rowsWithin(options.batchSize, session.cache, capacity, options.cacheBytes)
  const batchSize = Math.min(most, rows.length)
  const generation = startGeneration(rows[0]!, batchSize, prefix, options)
  try {
    yield* inTurns(rows, generation, batchSize, options)
  } finally {
    generation.end()
    prefix?.free()
  }
}

/** @param rows in the order in which they are read and given */
async function* inTurns(
  rows: readonly ReturnType<typeof newRow>[],
  generation: ReturnType<typeof startGeneration>,
  batchSize: number,
  { session, signal }: GenerateOptions,
): AsyncGenerator<GeneratedTokens[]> {
  let [read, given] = [0, 0]
  while (given < rows.length) {
    signal.throwIfAborted()
    const free = batchSize - generation.active
    const newcomers = rows.slice(read, read + free)
    const waiting = session.standsAlone ? 1 : rows.length - read
    if (isWorthReading(newcomers.length, waiting, generation.active)) {
      read += newcomers.length
      await generation.join(newcomers)
    } else await generation.step()
    const ended = rows.findIndex(({ stop }, i) => i >= given && stop === undefined)
    const finished = rows.slice(given, ended < 0 ? rows.length : ended)
    if (finished.length === 0) continue
    given += finished.length
    yield finished.map(replyOf)
    await new Promise(setImmediate)
  }
}

function refuseTooLong(
  prompts: readonly TokenPrompt[],
  { session: { maxPositions }, decoding }: GenerateOptions,
): void {
  for (const { ids, key } of prompts) {
    const tokens = ids.length + longestReply(decoding)
    requireFits(key, ids.length === 0 ? 0 : tokens, maxPositions)
  }
}

/** A single newcomer that would be computed twice waits for a second one. */
const isWorthReading = (newcomers: number, waiting: number, active: number) =>
  newcomers > 0 && (active === 0 || newcomers >= Math.min(waiting, 2))
