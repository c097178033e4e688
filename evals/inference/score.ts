/** @file Teacher-forced log-probabilities of texts in batches; the same bits in any batch, order and padding. */
import { emptyCache, freeCache } from './cached-graph.ts'
import { adaptersOf, countingPositions, inCompany, int32 } from './feeds.ts'
import { requireFits, type GenerateOptions } from './decoding.ts'
import { SCORED_ROWS } from './room.ts'
import { rowsWithin } from './slots.ts'

export interface ScoredText {
  readonly key: string
  readonly ids: readonly number[]
  /** First scored token (at least 1: the first token has no context). */
  readonly from: number
  /** Index among the session's adapters, if it has several. */
  readonly adapter?: number
}

export type ScoreOptions = Omit<GenerateOptions, 'decoding' | 'endIds'>

/** Log-probabilities in nats of `ids[from…]`, one array per text, in order. */
export async function scoreTexts(
  texts: readonly ScoredText[],
  options: ScoreOptions,
): Promise<Float32Array[]> {
  const { session, batchSize, signal } = options
  for (const { key, ids } of texts) requireFits(key, fedLength(ids), session.maxPositions)
  const results = new Array<Float32Array>(texts.length)
  const order = texts
    .map((_, i) => i)
    .sort((a, b) => texts[b]!.ids.length - texts[a]!.ids.length || a - b)
  for (let start = 0; start < order.length;) {
    signal.throwIfAborted()
    const longest = fedLength(texts[order[start]!]!.ids)
    const most = rowsWithin(batchSize, session.cache, longest)
    const indices = batchFrom(texts, order, start, most)
    start += indices.length
    const batch = indices.map((i) => texts[i]!)
    const scored = await scoreBatch(batch, options)
    indices.forEach((index, i) => (results[index] = scored[i]!))
    await new Promise(setImmediate)
  }
  return results
}

/** The texts of the next run. Two at least, since a single one would be doubled. */
function batchFrom(
  texts: readonly ScoredText[],
  order: readonly number[],
  start: number,
  batchSize: number,
): readonly number[] {
  let rows = 0
  let end = start
  while (end < Math.min(order.length, start + batchSize)) {
    const { ids, from } = texts[order[end]!]!
    rows += Math.max(0, ids.length - Math.max(1, from))
    if (rows > SCORED_ROWS && end >= start + 2) break
    end++
  }
  return order.slice(start, end)
}

/** The last token is only a label and is not fed. */
const fedLength = (ids: readonly number[]) => Math.max(1, ids.length - 1)

async function scoreBatch(
  texts: readonly ScoredText[],
  { session, varying, padId }: ScoreOptions,
): Promise<Float32Array[]> {
  const padded = inCompany(texts, session.standsAlone)
  const longest = Math.max(...padded.map(({ ids }) => fedLength(ids)))
  const tokens = new Int32Array(padded.length * longest).fill(padId)
  const scored: { row: number; label: number }[] = []
  padded.forEach(({ ids, from }, b) => {
    tokens.set(ids.slice(0, fedLength(ids)), b * longest)
    for (let t = Math.max(1, from); t < ids.length; t++) {
      scored.push({ row: b * longest + t - 1, label: ids[t]! })
    }
  })
  const picked = inCompany(scored, session.standsAlone)
  const { past } = emptyCache(session.cache, padded.length, longest)
  const { logProbs } = await session.run('score', {
    ...varying,
    ...adaptersOf(padded),
    ...past,
    tokens: int32(tokens, [padded.length, longest]),
    positions: countingPositions(padded.length, longest),
    last: int32(padded.map(({ ids }) => fedLength(ids) - 1)),
    total: int32([longest]),
    rows: int32(picked.map(({ row }) => row)),
    labels: int32(picked.map(({ label }) => label)),
  })
  freeCache(past)
  let next = 0
  return texts.map(({ ids, from }) => {
    const count = Math.max(0, ids.length - Math.max(1, from))
    next += count
    return (logProbs!.data as Float32Array).slice(next - count, next)
  })
}
