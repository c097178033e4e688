/** @file Runs on a pool whose cells are gathered for each run, because nothing reads them where they lie. */
import type { CacheLayer } from '../../models/architecture.ts'
import type { Runner } from '../../runtime/session.ts'
import type { Feeds, Tensor } from '../../runtime/tensor.ts'
import { freshIndexName, freshName } from '../fresh-cache.ts'
import { int32, pastName, scalesOf } from '../feeds.ts'
import { addedInto, addedNames, type CacheData } from '../small-cache.ts'
import { PARTS, type Pool } from './pool.ts'

/** A row of a run: its cells hold its tokens so far, and the run's own tokens go into those from `from` on. */
export interface PagedRow {
  readonly cells: Int32Array
  /** Tokens of it in the cache before the run. */
  readonly from: number
  /** Tokens of the run. */
  readonly count: number
}

export interface OpenedCells {
  readonly runner: Runner
  /** Whether results are written into arrays that are given. */
  readonly inPlace: boolean
  readonly logitsOf: (picked: number) => Tensor
}

export const tableName = (kvHeads: number) => `table.${kvHeads}`

/** Rows of the gathered caches are as long as a multiple of this, so that few shapes occur. */
const PAGE = 16

export async function runGathered(
  { runner }: OpenedCells,
  cache: readonly CacheLayer[],
  pool: Pool,
  rows: readonly PagedRow[],
  feeds: Feeds,
) {
  const cells = tablesOf(cache, rows, feeds)
  const fresh = freshIndices(cache, rows, capacityOf(rows, feeds))
  const given = { ...poolFeeds(cache, pool), ...cells, ...fresh, ...feeds }
  const { logits, ...added } = await runner.run(given)
  keep(cache, pool, rows, added)
  return { logits: logits!.data as Float32Array, vocab: logits!.dims[1]! }
}

/** On keys and values in fewer bits: what rows add comes back as it is kept. */
export async function runKept(
  { runner, inPlace, logitsOf }: OpenedCells,
  cache: readonly CacheLayer[],
  pool: Pool,
  rows: readonly PagedRow[],
  feeds: Feeds,
) {
  const given = { ...poolFeeds(cache, pool), ...tablesOf(cache, rows, feeds), ...feeds }
  const into = inPlace ? { ...addedInto(cache, feeds), logits: logitsOf(feeds.rows!.dims[0]!) } : {}
  const results = await runner.run(given, into, ['logits', ...addedNames(cache)])
  // What comes back of float16 are words over the same memory.
  const { logits, ...added } = { ...results, ...into } as Record<string, Tensor>
  keepAdded(cache, pool, rows, added)
  return { logits: logits!.data as Float32Array, vocab: logits!.dims[1]! }
}

/** Writes what the rows added as it is kept, `[batch, kvHeads, seq, headDim]` and scales `[batch, kvHeads, seq, 1]`, into their cells. */
function keepAdded(
  cache: readonly CacheLayer[],
  pool: Pool,
  rows: readonly PagedRow[],
  added: Readonly<Record<string, Tensor>>,
): void {
  for (const layer of cache.keys())
    for (const part of PARTS) {
      const name = freshName(layer, part)
      insert(added[name]!, pool.buffer(layer, part), rows)
      const scales = pool.scales(layer, part)
      if (scales) insert(added[scalesOf(name)]!, scales, rows)
    }
}

function insert(source: Tensor, target: Tensor, rows: readonly PagedRow[]): void {
  const [, kvHeads, seq, width] = source.dims as [number, number, number, number]
  const [read, write] = [source.data as CacheData, target.data as CacheData]
  for (const [row, { cells, from, count }] of rows.entries())
    for (let head = 0; head < kvHeads; head++)
      for (let t = 0; t < count; t++) {
        const at = ((row * kvHeads + head) * seq + t) * width
        write.set(read.subarray(at, at + width), (cells[from + t]! * kvHeads + head) * width)
      }
}

export const poolFeeds = (cache: readonly CacheLayer[], pool: Pool): Feeds =>
  Object.fromEntries(
    cache.flatMap((_, layer) =>
      PARTS.flatMap((part) => {
        const name = pastName(layer, part)
        const scales = pool.scales(layer, part)
        const tokens = [name, pool.buffer(layer, part)] as const
        return scales ? [tokens, [scalesOf(name), scales] as const] : [tokens]
      }),
    ),
  )

/** Tokens that each row's gathered cache has room for. */
function capacityOf(rows: readonly PagedRow[], { total }: Feeds): number {
  const longest = Math.max(...rows.map(({ from, count }) => from + count), Number(total!.data[0]))
  return Math.ceil(longest / PAGE) * PAGE
}

/** Which cells to gather: of each row, head and token. */
function tablesOf(cache: readonly CacheLayer[], rows: readonly PagedRow[], feeds: Feeds): Feeds {
  const capacity = capacityOf(rows, feeds)
  const batch = feeds.tokens!.dims[0]!
  const tables: Record<string, Tensor> = {}
  for (const kvHeads of new Set(cache.map((layer) => layer.kvHeads))) {
    const table = new Int32Array(batch * kvHeads * capacity)
    rows.forEach(({ cells, from }, b) => {
      for (let head = 0; head < kvHeads; head++) {
        const start = (b * kvHeads + head) * capacity
        for (let t = 0; t < from; t++) table[start + t] = cells[t]! * kvHeads + head
      }
    })
    // A single row that is doubled reads what it would read alone.
    if (batch > rows.length) table.copyWithin(kvHeads * capacity, 0, kvHeads * capacity)
    tables[tableName(kvHeads)] = int32(table, [batch, kvHeads, capacity])
  }
  return tables
}

/** Which of the results are new: of each row, token and head. */
function freshIndices(
  cache: readonly CacheLayer[],
  rows: readonly PagedRow[],
  capacity: number,
): Feeds {
  const feeds: Record<string, Tensor> = {}
  const tokens = rows.reduce((sum, { count }) => sum + count, 0)
  for (const kvHeads of new Set(cache.map((layer) => layer.kvHeads))) {
    const fresh = new Int32Array(tokens * kvHeads)
    let next = 0
    rows.forEach(({ from, count }, b) => {
      for (let head = 0; head < kvHeads; head++) {
        const start = (b * kvHeads + head) * capacity
        for (let t = 0; t < count; t++) fresh[next + t * kvHeads + head] = start + from + t
      }
      next += count * kvHeads
    })
    feeds[freshIndexName(kvHeads)] = int32(fresh)
  }
  return feeds
}

/** Writes the new tokens' keys and values, `[tokens·kvHeads, headDim]`, into their cells. */
function keep(
  cache: readonly CacheLayer[],
  pool: Pool,
  rows: readonly PagedRow[],
  fresh: Readonly<Record<string, Tensor>>,
): void {
  cache.forEach(({ kvHeads, headDim }, layer) => {
    const width = kvHeads * headDim
    for (const part of PARTS) {
      const numbers = fresh[freshName(layer, part)]!.data as Float32Array
      let next = 0
      for (const { cells, from, count } of rows) {
        const own = numbers.subarray(next, (next += count * width))
        pool.write({ layer, part, cells, offset: from * width }, own)
      }
    }
  })
}
