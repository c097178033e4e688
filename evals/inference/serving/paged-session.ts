/**
 * @file A model whose cache lies in the cells of a pool. One graph reads prompts and writes tokens. With the addon its operators
 * read and write the cells of the cache and read those of the adapters; without it, it gathers each row's cells and gives back
 * the keys and values of the new tokens, which go into cells of their own.
 */
import { createGraph, type Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import type { AttentionPlan, CacheLayer, KeyValue } from '../../models/architecture.ts'
import { cacheOf } from '../../models/registry.ts'
import { createScope } from '../../models/scope.ts'
import { extendsInPlace } from '../../runtime/addon-for.ts'
import { dialectOf, type Device } from '../../runtime/device.ts'
import type { Runner } from '../../runtime/session.ts'
import type { Feeds, Tensor } from '../../runtime/tensor.ts'
import { openRunnerOf, requireHeadSize, weightStorage, type ModelState } from '../cached-graph.ts'
import { freshIndexName, freshName, freshOutputs } from '../fresh-cache.ts'
import { int32, pastName, type TokenFeeds } from '../feeds.ts'
import { stackedAdapter } from '../stack.ts'
import type { Kind } from './adapter-slots.ts'
import { adapterInCells } from './adapter-tables.ts'
import type { Part, Pool } from './pool.ts'

/** A row of a run: its cells hold its tokens so far, and the run's own tokens go into those from `from` on. */
export interface PagedRow {
  readonly cells: Int32Array
  /** Tokens of it in the cache before the run. */
  readonly from: number
  /** Tokens of the run. */
  readonly count: number
}

export interface PagedSession {
  readonly cache: readonly CacheLayer[]
  readonly maxPositions: number
  readonly stretch?: (length: number) => number
  /** Whether adapters are read in the pool's cells; otherwise they are fed side by side. */
  readonly readsCells: boolean
  /** Logits `[picked, vocab]`, which stand until the next run; writes the new tokens' keys and values into the pool. */
  run(
    pool: Pool,
    rows: readonly PagedRow[],
    feeds: TokenFeeds,
    adapters: Feeds,
  ): Promise<{ readonly logits: Float32Array; readonly vocab: number }>
  /** Builds the graph, so that the first request does not wait. */
  open(): Promise<unknown>
  release(): Promise<void>
}

const PARTS: readonly Part[] = ['keys', 'values']
const tableName = (kvHeads: number) => `table.${kvHeads}`

/** Rows of the gathered caches are as long as a multiple of this, so that few shapes occur. */
const PAGE = 16

export function openPaged(
  state: Pick<ModelState, 'model' | 'frozen'>,
  kinds: readonly Kind[],
  device: Device,
  maxPositions: number,
): PagedSession {
  const { model } = state
  const cache = cacheOf(model)
  requireHeadSize(cache)
  const positions = Math.min(maxPositions, model.architecture.maxPositions(model.config))
  const stretch = model.architecture.stretch?.(model.config, positions)
  const readsCells = extendsInPlace(device)
  let opening: Promise<Opened> | undefined
  const open = () => (opening ??= opened())
  async function opened(): Promise<Opened> {
    const built = build(state, kinds, device, cache, positions, readsCells)
    const runner = await openRunnerOf(state, device, cache, built)
    return { runner, logitsOf: roomForLogits(Number(built.outputs.logits!.shape[1])) }
  }
  return {
    cache,
    maxPositions: positions,
    ...(stretch && { stretch }),
    readsCells,
    open,
    run: async (pool, rows, feeds, adapters) =>
      (readsCells ? runInCells : runPaged)(await open(), cache, pool, rows, {
        ...feeds,
        ...adapters,
      }),
    async release() {
      await (await opening)?.runner.release()
    },
  }
}

interface Opened {
  readonly runner: Runner
  readonly logitsOf: (picked: number) => Tensor
}

/** `[picked, vocab]` in one buffer that grows: a new one for each run would be most of the garbage of a large batch. */
function roomForLogits(vocab: number): Opened['logitsOf'] {
  let room = new Float32Array(0)
  return (picked) => {
    const size = picked * vocab
    if (room.length < size) room = new Float32Array(size)
    return { data: room.subarray(0, size), dims: [picked, vocab] }
  }
}

async function runPaged(
  { runner }: Opened,
  cache: readonly CacheLayer[],
  pool: Pool,
  rows: readonly PagedRow[],
  feeds: Feeds,
) {
  const { tokens, total } = feeds as TokenFeeds
  const longest = Math.max(...rows.map(({ from, count }) => from + count), Number(total.data[0]))
  const capacity = Math.ceil(longest / PAGE) * PAGE
  const cells = pages(cache, rows, tokens.dims[0]!, capacity)
  const { logits, ...fresh } = await runner.run({ ...poolFeeds(cache, pool), ...cells, ...feeds })
  keep(cache, pool, rows, fresh)
  return { logits: logits!.data as Float32Array, vocab: logits!.dims[1]! }
}

async function runInCells(
  { runner, logitsOf }: Opened,
  cache: readonly CacheLayer[],
  pool: Pool,
  rows: readonly PagedRow[],
  feeds: Feeds,
) {
  const batch = feeds.tokens!.dims[0]!
  const capacity = Math.max(...rows.map(({ from, count }) => from + count))
  // A single row that is doubled has company of no tokens.
  const [from, count] = [new Int32Array(batch), new Int32Array(batch)]
  const table = new Int32Array(batch * capacity)
  rows.forEach((row, b) => {
    from[b] = row.from
    count[b] = row.count
    table.set(row.cells.subarray(0, row.from + row.count), b * capacity)
  })
  const paged = { cells: int32(table, [batch, capacity]), from: int32(from), count: int32(count) }
  const into = { logits: logitsOf(feeds.rows!.dims[0]!) }
  const { logits } = await runner.run({ ...poolFeeds(cache, pool), ...paged, ...feeds }, into)
  return { logits: logits!.data as Float32Array, vocab: logits!.dims[1]! }
}

function build(
  { model, frozen }: Pick<ModelState, 'model' | 'frozen'>,
  kinds: readonly Kind[],
  device: Device,
  cache: readonly CacheLayer[],
  maxPositions: number,
  readsCells: boolean,
): { g: Graph; outputs: Record<string, Value> } {
  const { architecture, config, weights } = model
  const g = createGraph(dialectOf(device))
  const past = poolInputs(g, cache)
  const stacksOf = (weight: string) =>
    kinds
      .filter(({ pieces }) => pieces.some((piece) => piece.weight === weight))
      .map(({ stack }) => stack)
  const scope = createScope(g, weights, {
    maxPositions,
    storage: weightStorage({ model, frozen }, device),
    attach: (graph, site) => {
      if (readsCells) return adapterInCells(graph, site, kinds, cache, past)
      const stacks = stacksOf(`${site.name}.weight`)
      return stacks.length > 0 ? stackedAdapter(graph, site, stacks) : undefined
    },
  })
  const rows = g.input('rows', 'int32', ['picked'])
  const attention = (readsCells ? inCells : gathered)(g, cache, past)
  // Adapters side by side are arranged for all tokens; those in cells for any number a row.
  const asked = readsCells && { asked: rows }
  const inputs = { ...tokenInputs(g), attention, ...asked }
  const { hiddenStates, present } = architecture.forward(scope, inputs, config)
  const picked = readsCells ? hiddenStates : g.gatherRows(hiddenStates, rows)
  const logits = architecture.logits(scope, picked, config)
  return { g, outputs: { logits, ...(!readsCells && freshOutputs(g, cache, present)) } }
}

const tokenInputs = (g: Graph) => ({
  tokens: g.input('tokens', 'int32', ['batch', 'seq']),
  positions: g.input('positions', 'int32', ['batch', 'seq']),
  batch: 'batch',
  seq: 'seq',
})

/** The pool's buffers, `[cells·kvHeads, headDim]`. */
const poolInputs = (g: Graph, cache: readonly CacheLayer[]): KeyValue[] =>
  cache.map(({ kvHeads, headDim }, layer) => {
    const part = (name: Part) =>
      g.input(pastName(layer, name), g.float, [`cells of ${kvHeads}`, headDim])
    return { keys: part('keys'), values: part('values') }
  })

/** The cells of each row's tokens, int32 `[batch, capacity]`. */
const inCells = (g: Graph, _: readonly CacheLayer[], past: readonly KeyValue[]): AttentionPlan => ({
  kind: 'paged',
  past,
  cells: g.input('cells', 'int32', ['batch', 'capacity']),
  from: g.input('from', 'int32', ['batch']),
  count: g.input('count', 'int32', ['batch']),
  last: g.input('last', 'int32', ['batch']),
})

/** The cells of each row's cache: int32 `[batch, kvHeads, capacity]` into a layer's buffers. */
function gathered(
  g: Graph,
  cache: readonly CacheLayer[],
  buffers: readonly KeyValue[],
): AttentionPlan {
  const tables = new Map<number, Value>()
  const tableOf = (kvHeads: number) => {
    const table =
      tables.get(kvHeads) ?? g.input(tableName(kvHeads), 'int32', ['batch', kvHeads, 'capacity'])
    tables.set(kvHeads, table)
    return table
  }
  const past = cache.map(({ kvHeads }, layer): KeyValue => {
    const { keys, values } = buffers[layer]!
    const part = (buffer: Value) => g.gatherRows(buffer, tableOf(kvHeads))
    return { keys: part(keys), values: part(values) }
  })
  const last = g.input('last', 'int32', ['batch'])
  const total = g.input('total', 'int32', [1])
  return { kind: 'cached', past, last, total }
}

const poolFeeds = (cache: readonly CacheLayer[], pool: Pool): Feeds =>
  Object.fromEntries(
    cache.flatMap((_, layer) =>
      PARTS.map((part) => [pastName(layer, part), pool.buffer(layer, part)] as const),
    ),
  )

/** Which cells to gather, and which of the results are new: of each row, token and head. */
function pages(
  cache: readonly CacheLayer[],
  rows: readonly PagedRow[],
  batch: number,
  capacity: number,
): Feeds {
  const feeds: Record<string, Tensor> = {}
  const tokens = rows.reduce((sum, { count }) => sum + count, 0)
  for (const kvHeads of new Set(cache.map((layer) => layer.kvHeads))) {
    const table = new Int32Array(batch * kvHeads * capacity)
    const fresh = new Int32Array(tokens * kvHeads)
    let next = 0
    rows.forEach(({ cells, from, count }, b) => {
      for (let head = 0; head < kvHeads; head++) {
        const start = (b * kvHeads + head) * capacity
        for (let t = 0; t < from; t++) table[start + t] = cells[t]! * kvHeads + head
        for (let t = 0; t < count; t++) fresh[next + t * kvHeads + head] = start + from + t
      }
      next += count * kvHeads
    })
    // A single row that is doubled reads what it would read alone.
    if (batch > rows.length) table.copyWithin(kvHeads * capacity, 0, kvHeads * capacity)
    feeds[tableName(kvHeads)] = int32(table, [batch, kvHeads, capacity])
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
