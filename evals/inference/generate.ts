/**
 * @file Batched generation over a cache, greedy or sampled with a seed. A prompt's tokens and log-probabilities are the same
 * bits in any batch, order and padding: a lone row is padded to two, because one row takes another matrix kernel.
 */
import type { Completion } from '../contract/rows.ts'
import { TouchstoneError } from '../errors.ts'
import type { Feeds } from '../runtime/session.ts'
import { randomStream } from '../statistics/random.ts'
import { emptyCache, keepRows, type CachedSession } from './cached-graph.ts'
import { decode, evenWidth, prefill } from './feeds.ts'

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

/** Answers every prompt, batch by batch, longest prompts first so that padding is little; `index` is the prompt's place. */
export async function* generate(
  prompts: readonly TokenPrompt[],
  options: GenerateOptions,
): AsyncGenerator<GeneratedTokens[]> {
  const { session, decoding, batchSize, signal } = options
  prompts.forEach(({ ids, key }) => {
    const needed = ids.length + decoding.maxNewTokens
    if (ids.length === 0 || needed > session.maxPositions) {
      throw new TouchstoneError('prompt.too-long', {
        key,
        tokens: needed,
        limit: session.maxPositions,
      })
    }
  })
  const order = prompts
    .map((_, i) => i)
    .sort((a, b) => prompts[b]!.ids.length - prompts[a]!.ids.length || a - b)
  for (let start = 0; start < order.length; start += batchSize) {
    signal.throwIfAborted()
    const indices = order.slice(start, start + batchSize)
    const answers = await generateBatch(
      indices.map((i) => prompts[i]!),
      options,
    )
    yield answers.map((answer, i) => ({ ...answer, index: indices[i]! }))
    await new Promise(setImmediate)
  }
}

interface Row {
  readonly prompt: TokenPrompt
  readonly tokenIds: number[]
  readonly writtenIds: number[]
  logProb: number
  stopped: boolean
}

async function generateBatch(
  prompts: readonly TokenPrompt[],
  options: GenerateOptions,
): Promise<Omit<GeneratedTokens, 'index'>[]> {
  const { session, varying, decoding, padId, signal } = options
  const padded = prompts.length === 1 ? [prompts[0]!, prompts[0]!] : prompts
  const rows: Row[] = padded.map((prompt) => ({
    ...{ prompt, tokenIds: [], writtenIds: [] },
    ...{ logProb: 0, stopped: false },
  }))
  const longest = evenWidth(Math.max(...padded.map(({ ids }) => ids.length)))
  let cache = emptyCache(session.cache, rows.length, longest + decoding.maxNewTokens)
  let asked: readonly Row[] = rows
  let feeds = prefill(padded, longest, padId)
  for (let step = 0; step < decoding.maxNewTokens; step++) {
    signal.throwIfAborted()
    const run = { ...varying, ...cache.past, ...feeds }
    const { tokens, logProbs } = await nextTokens(run, cache.present, asked, options)
    asked.forEach((row, i) => takeToken(row, tokens[i]!, logProbs[i]!, options))
    if (asked.every(({ stopped }) => stopped)) break
    const keep = rowsToKeep(asked)
    if (keep.length < asked.length) cache = keepRows(cache, keep)
    asked = keep.map((i) => asked[i]!)
    feeds = decode(
      keep.map((i) => tokens[i]!),
      asked.map(({ prompt }) => prompt.ids.length + step),
    )
  }
  return rows.slice(0, prompts.length).map(({ tokenIds, writtenIds, logProb, stopped }) => ({
    tokenIds,
    writtenIds,
    stop: stopped ? 'end' : 'length',
    meanLogProb: logProb / writtenIds.length,
  }))
}

function takeToken(row: Row, token: number, logProb: number, { endIds }: GenerateOptions): void {
  if (row.stopped) return
  row.logProb += logProb
  row.writtenIds.push(token)
  if (endIds.has(token)) row.stopped = true
  else row.tokenIds.push(token)
}

/** Stopped rows leave once they are half of the batch, so that copying the cache pays; two rows stay at least. */
function rowsToKeep(rows: readonly Row[]): number[] {
  const all = rows.map((_, i) => i)
  const going = all.filter((i) => !rows[i]!.stopped)
  if (2 * going.length > rows.length || rows.length === 2) return all
  const company = all.filter((i) => rows[i]!.stopped).slice(0, Math.max(0, 2 - going.length))
  return [...going, ...company].sort((a, b) => a - b)
}

async function nextTokens(
  feeds: Feeds,
  cache: Feeds,
  rows: readonly Row[],
  { session, decoding }: GenerateOptions,
) {
  if (decoding.temperature === 0) {
    const { token, logProb } = await session.run('next', feeds, cache)
    return { tokens: token!.data as Int32Array, logProbs: logProb!.data as Float32Array }
  }
  const { logits } = await session.run('sampled', feeds, cache)
  const vocab = logits!.dims[1]!
  const data = logits!.data as Float32Array
  const drawn = rows.map(({ prompt, tokenIds }, b) => {
    const u = randomStream(
      decoding.seed,
      `sample:${prompt.stream ?? prompt.key}`,
      tokenIds.length,
    ).uniform()
    return drawToken(data.subarray(b * vocab, (b + 1) * vocab), decoding.temperature, u)
  })
  return {
    tokens: Int32Array.from(drawn, ({ token }) => token),
    logProbs: Float32Array.from(drawn, ({ logProb }) => logProb),
  }
}

/** Inverts the cumulative softmax(logits/temperature) at `u`; the log-probability is under the model itself (temperature 1). */
function drawToken(
  logits: Float32Array,
  temperature: number,
  u: number,
): { token: number; logProb: number } {
  let max = -Infinity
  for (const logit of logits) max = Math.max(max, logit)
  let total = 0
  let plain = 0
  for (const logit of logits) {
    total += Math.exp((logit - max) / temperature)
    plain += Math.exp(logit - max)
  }
  let rest = u * total
  let token = 0
  for (let i = 0; i < logits.length; i++) {
    rest -= Math.exp((logits[i]! - max) / temperature)
    token = i
    if (rest < 0) break
  }
  return { token, logProb: logits[token]! - max - Math.log(plain) }
}
