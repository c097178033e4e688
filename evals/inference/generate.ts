/**
 * @file Batched generation over a cache, greedy or sampled with a seed. A prompt's tokens and log-probabilities are the same
 * bits in any batch, order and padding: a lone row is padded to two, because one row takes another matrix kernel.
 */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { GeneratedTokens, GenerateOptions, TokenPrompt } from './decoding.ts'
import { sharedPrefix } from './prefix.ts'
import { answerOf, newRow, startWriting } from './writing.ts'

/**
 * Answers every prompt, longest prompts first so that padding is little; `index` is the prompt's place. At most `batchSize`
 * prompts are written on at a time; one that has ended leaves its slot to the next.
 */
export async function* generate(
  prompts: readonly TokenPrompt[],
  options: GenerateOptions,
): AsyncGenerator<GeneratedTokens[]> {
  const { signal, batchSize } = options
  refuseTooLong(prompts, options)
  const rows = prompts
    .map(newRow)
    .sort((a, b) => b.prompt.ids.length - a.prompt.ids.length || a.index - b.index)
  if (rows.length === 0) return
  signal.throwIfAborted()
  const prefix = await sharedPrefix(prompts, options)
  const writing = startWriting(rows[0]!, Math.min(batchSize, rows.length), prefix, options)
  let [read, given] = [0, 0]
  while (given < rows.length) {
    signal.throwIfAborted()
    const free = batchSize - writing.going
    const newcomers = rows.slice(read, read + free)
    if (isWorthReading(newcomers.length, rows.length - read, writing.going)) {
      read += newcomers.length
      await writing.join(newcomers)
    } else await writing.goOn()
    const ended = rows.findIndex(({ stop }, i) => i >= given && stop === undefined)
    const answered = rows.slice(given, ended < 0 ? rows.length : ended)
    if (answered.length === 0) continue
    given += answered.length
    yield answered.map(answerOf)
    await new Promise(setImmediate)
  }
}

function refuseTooLong(
  prompts: readonly TokenPrompt[],
  { session: { maxPositions }, decoding }: GenerateOptions,
): void {
  for (const { ids, key } of prompts) {
    const tokens = ids.length + decoding.maxNewTokens
    if (ids.length === 0 || tokens > maxPositions)
      throw new TouchstoneError('prompt.too-long', { key, tokens, limit: maxPositions })
  }
}

/** One alone would be read in company of itself, so it waits for another. */
const isWorthReading = (newcomers: number, waiting: number, going: number) =>
  newcomers > 0 && (going === 0 || newcomers >= Math.min(waiting, 2))
