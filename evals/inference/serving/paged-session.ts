/**
 * @file A model whose cache lies in the cells of a pool. One graph reads prompts and writes tokens: it gathers each row's cells,
 * and gives back the keys and values of the new tokens, which go into cells of their own, and the logits.
 */
import { createGraph, type Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import type { CacheLayer, KeyValue } from '../../models/architecture.ts'
import { cacheOf } from '../../models/registry.ts'
import { createScope } from '../../models/scope.ts'
import { dialectOf, type Device } from '../../runtime/device.ts'
import type { Runner } from '../../runtime/session.ts'
import type { Feeds, Tensor } from '../../runtime/tensor.ts'
import { openRunnerOf, requireHeadSize, weightStorage, type ModelState } from '../cached-graph.ts'
import { freshIndexName, freshName, freshOutputs } from '../fresh-cache.ts'
import { int32, pastName, type TokenFeeds } from '../feeds.ts'
import { stackedAdapter } from '../stack.ts'
import type { Kind } from './adapter-slots.ts'
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
  /** Logits `[picked, vocab]`; writes the new tokens' keys and values into the pool. */
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
  let runner: Promise<Runner> | undefined
  const open = () => {
    const built = () => build(state, kinds, device, cache, positions)
    return (runner ??= openRunnerOf(state, device, cache, built()))
  }
  return {
    cache,
    maxPositions: positions,
    ...(stretch && { stretch }),
    open,
    run: async (pool, rows, feeds, adapters) =>
      runPaged(await open(), cache, pool, rows, { ...feeds, ...adapters }),
    async release() {
      await (await runner)?.release()
    },
  }
}

async function runPaged(
  runner: Runner,
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

function build(
  { model, frozen }: Pick<ModelState, 'model' | 'frozen'>,
  kinds: readonly Kind[],
  device: Device,
  cache: readonly CacheLayer[],
  maxPositions: number,
): { g: Graph; outputs: Record<string, Value> } {
  const { architecture, config, weights } = model
  const g = createGraph(dialectOf(device))
  const stacksOf = (weight: string) =>
    kinds
      .filter(({ pieces }) => pieces.some((piece) => piece.weight === weight))
      .map(({ stack }) => stack)
  const scope = createScope(g, weights, {
    maxPositions,
    storage: weightStorage({ model, frozen }, device),
    attach: (graph, site) => {
      const stacks = stacksOf(`${site.name}.weight`)
      return stacks.length > 0 ? stackedAdapter(graph, site, stacks) : undefined
    },
  })
  const { hiddenStates, present } = architecture.forward(scope, pagedInputs(g, cache), config)
  const rows = g.input('rows', 'int32', ['picked'])
  const logits = architecture.logits(scope, g.gatherRows(hiddenStates, rows), config)
  return { g, outputs: { logits, ...freshOutputs(g, cache, present) } }
}

/** New tokens `[batch, seq]`, and the cells of each row's cache: int32 `[batch, kvHeads, capacity]` into a layer's buffers. */
function pagedInputs(g: Graph, cache: readonly CacheLayer[]) {
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const tables = new Map<number, Value>()
  const tableOf = (kvHeads: number) => {
    const table =
      tables.get(kvHeads) ?? g.input(tableName(kvHeads), 'int32', ['batch', kvHeads, 'capacity'])
    tables.set(kvHeads, table)
    return table
  }
  const past = cache.map(({ kvHeads, headDim }, layer): KeyValue => {
    const part = (name: Part) => {
      const buffer = g.input(pastName(layer, name), g.float, [`cells of ${kvHeads}`, headDim])
      return g.gatherRows(buffer, tableOf(kvHeads))
    }
    return { keys: part('keys'), values: part('values') }
  })
  const last = g.input('last', 'int32', ['batch'])
  const total = g.input('total', 'int32', [1])
  const attention = { kind: 'cached', past, last, total } as const
  return { tokens, positions, attention, batch: 'batch', seq: 'seq' }
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
