/**
 * @file Teacher-forced log-probabilities of short continuations of common texts. A text is computed once; each further token is
 * a row that continues from a copy of the text's keys and values, and common prefixes of continuations are computed once as
 * well.
 *
 * A continuation's bits do not depend on the others, the batch or the order. They agree with whole passes (score.ts) within
 * rounding only, because one query per row uses another attention kernel than many. Where position stretching depends on the
 * length, texts that change it are computed in whole passes.
 */
import type { CachedSession } from './cached-graph.ts'
import { requireFits } from './decoding.ts'
import {
  adaptersOf,
  decode,
  evenWidth,
  inCompany,
  int32,
  prefill,
  type TokenFeeds,
} from './feeds.ts'
import { scoreTexts, type ScoredText, type ScoreOptions } from './score.ts'
import { LEAST_ROWS, openSlots, rowBytes, rowsWithin, type Slots } from './slots.ts'

interface Row extends Pick<ScoredText, 'ids' | 'from' | 'adapter'> {
  readonly logProbs: Float32Array
}

/** Rows with the same first `length` tokens and at least one more, whose scores are to be computed. */
interface Branch {
  /** Slot of the cache that it continues. */
  readonly parent: number
  readonly length: number
  readonly rows: readonly Row[]
}

/** Log-probabilities in nats of `ids[from…]`, one array per text, in order. */
export async function scorePrefixTree(
  texts: readonly ScoredText[],
  options: ScoreOptions,
): Promise<Float32Array[]> {
  const { session } = options
  for (const { key, ids } of texts) requireFits(key, ids.length, session.maxPositions)
  const isApart = texts.map((text) => outgrows(text, session))
  const whole = await scoreTexts(
    texts.filter((_, i) => isApart[i]),
    options,
  )
  const shared = await scoreShared(
    texts.filter((_, i) => !isApart[i]),
    options,
  )
  let [wholes, shares] = [0, 0]
  return isApart.map((apart) => (apart ? whole[wholes++]! : shared[shares++]!))
}

/** Whether the continuation changes the position stretching of the text before it, so that nothing can be shared. */
const outgrows = (
  { ids, from }: ScoredText,
  { stretch }: Pick<CachedSession, 'stretch'>,
): boolean =>
  stretch !== undefined &&
  ids.length > from &&
  stretch(Math.max(1, from)) !== stretch(ids.length - 1)

async function scoreShared(
  texts: readonly ScoredText[],
  options: ScoreOptions,
): Promise<Float32Array[]> {
  const { session, batchSize, signal } = options
  const rows = texts.map(({ ids, from, adapter }): Row => {
    const start = Math.max(1, from)
    const logProbs = new Float32Array(Math.max(0, ids.length - start))
    return { ids, from: start, adapter, logProbs }
  })
  const scored = rows.filter(({ logProbs }) => logProbs.length > 0)
  const stemOf = ({ ids, from, adapter }: Row) => `${adapter}:${ids.slice(0, from).join()}`
  const stems = [...Map.groupBy(scored, stemOf).values()]
    .map((of): Branch => ({ parent: 0, length: of[0]!.from, rows: of }))
    .sort((a, b) => b.length - a.length)
  for (let start = 0, most = 0; start < stems.length; start += most) {
    signal.throwIfAborted()
    most = rowsWithin(batchSize, session.cache, stems[start]!.length)
    await scoreStems(stems.slice(start, start + most), options)
    await new Promise(setImmediate)
  }
  return rows.map(({ logProbs }) => logProbs)
}

async function scoreStems(stems: readonly Branch[], options: ScoreOptions): Promise<void> {
  const { session, padId } = options
  const padded = inCompany(stems)
  const prompts = padded.map(({ rows, length }) => ({ ids: rows[0]!.ids.slice(0, length) }))
  const width = evenWidth(Math.max(...prompts.map(({ ids }) => ids.length)))
  const further = Math.max(...stems.flatMap(({ rows }) => rows.map((row) => row.logProbs.length)))
  const slots = openSlots(session.cache, padded.length, width + further - 1)
  const feeds = prefill(prompts, width, padId)
  const branches = await scoreNext(stems, slots, feeds, options)
  await descend(branches, slots, options)
  slots.free()
}

/** Scores the branches token by token, depth first; memory holds one cache per level. */
async function descend(
  branches: readonly Branch[],
  slots: Slots,
  options: ScoreOptions,
): Promise<void> {
  const most = rowsAtOnce(slots, options)
  for (let start = 0; start < branches.length; start += most) {
    options.signal.throwIfAborted()
    const some = branches.slice(start, start + most)
    const padded = inCompany(some)
    const own = openSlots(options.session.cache, padded.length, slots.capacity)
    padded.forEach(({ parent, length }, to) => own.fill(to, slots.rows(parent, 1), length - 1))
    const feeds = decode(
      padded.map(({ rows, length }) => rows[0]!.ids[length - 1]!),
      padded.map(({ length }) => length - 1),
    )
    await descend(await scoreNext(some, own, feeds, options), own, options)
    own.free()
  }
}

/** Cache bytes of the rows in one run, at least a batch: small models cost per run rather than per row. */
const CACHE_BYTES = 64 * 2 ** 20

const rowsAtOnce = ({ capacity }: Slots, { batchSize, session }: ScoreOptions): number =>
  Math.max(
    Math.min(batchSize, LEAST_ROWS),
    Math.floor(CACHE_BYTES / rowBytes(session.cache, capacity)),
  )

/** Scores the next tokens of each branch and returns the branches that continue. */
async function scoreNext(
  branches: readonly Branch[],
  slots: Slots,
  feeds: TokenFeeds,
  { session, varying }: ScoreOptions,
): Promise<Branch[]> {
  const next = branches.flatMap(({ rows, length }, parent) =>
    [...Map.groupBy(rows, ({ ids }) => ids[length]!)].map(([token, of]) => {
      return { parent, length, token, rows: of }
    }),
  )
  const padded = inCompany(next)
  const parents = inCompany(branches)
  const cache = slots.rows(0, parents.length)
  const { logProbs } = await session.run(
    'score',
    {
      ...varying,
      ...adaptersOf(parents.map(({ rows }) => rows[0]!)),
      ...cache.past,
      ...feeds,
      rows: int32(padded.map(({ parent }) => feeds.rows.data[parent] as number)),
      labels: int32(padded.map(({ token }) => token)),
    },
    cache.present,
  )
  next.forEach(({ rows, length }, i) => {
    for (const row of rows) row.logProbs[length - row.from] = logProbs!.data[i] as number
  })
  return next.flatMap(({ parent, length, rows }) => {
    const longer = rows.filter(({ ids }) => ids.length > length + 1)
    return longer.length > 0 ? [{ parent, length: length + 1, rows: longer }] : []
  })
}
