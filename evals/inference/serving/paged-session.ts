/**
 * @file A model whose cache lies in the cells of a pool. One graph reads prompts and writes tokens. With the addon its operators
 * read and write the cells of the cache and read those of the adapters; without it, or where keys and values are kept in fewer
 * bits, it gathers each row's cells and gives back the keys and values of the new tokens, which go into cells of their own.
 */
import { createGraph, type Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import type { AttentionPlan, CacheLayer, KeyValue } from '../../models/architecture.ts'
import { cacheOf } from '../../models/registry.ts'
import { createScope } from '../../models/scope.ts'
import { extendsInPlace } from '../../runtime/addon-for.ts'
import { dialectOf, type Device } from '../../runtime/device.ts'
import type { Feeds } from '../../runtime/tensor.ts'
import { openRunnerOf, requireHeadSize, weightStorage, type ModelState } from '../cached-graph.ts'
import { freshOutputs } from '../fresh-cache.ts'
import { int32, pastName, scalesOf, type TokenFeeds } from '../feeds.ts'
import { addedOutputs, keptCache } from '../small-cache.ts'
import { stackedAdapter } from '../stack.ts'
import type { Kind } from './adapter-slots.ts'
import { adapterInCells } from './adapter-tables.ts'
import {
  poolFeeds,
  runGathered,
  runKept,
  tableName,
  type OpenedCells,
  type PagedRow,
} from './gathered-cells.ts'
import type { Part, Pool } from './pool.ts'

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

export function openPaged(
  state: Pick<ModelState, 'model' | 'frozen'>,
  kinds: readonly Kind[],
  device: Device,
  maxPositions: number,
): PagedSession {
  const { model } = state
  const cache = keptCache(cacheOf(model), device.cache)
  requireHeadSize(cache)
  const positions = Math.min(maxPositions, model.architecture.maxPositions(model.config))
  const stretch = model.architecture.stretch?.(model.config, positions)
  const inPlace = extendsInPlace(device)
  const readsCells = inPlace && !device.cache
  let opening: Promise<OpenedCells> | undefined
  const open = () => (opening ??= opened())
  async function opened(): Promise<OpenedCells> {
    const built = build(state, kinds, device, cache, positions, readsCells)
    const runner = await openRunnerOf(state, device, cache, built)
    return { runner, inPlace, logitsOf: roomForLogits(Number(built.outputs.logits!.shape[1])) }
  }
  const runIn = readsCells ? runInCells : device.cache ? runKept : runGathered
  return {
    cache,
    maxPositions: positions,
    ...(stretch && { stretch }),
    readsCells,
    open,
    run: async (pool, rows, feeds, adapters) =>
      runIn(await open(), cache, pool, rows, { ...feeds, ...adapters }),
    async release() {
      await (await opening)?.runner.release()
    },
  }
}

/** `[picked, vocab]` in one buffer that grows: a new one for each run would be most of the garbage of a large batch. */
function roomForLogits(vocab: number): OpenedCells['logitsOf'] {
  let room = new Float32Array(0)
  return (picked) => {
    const size = picked * vocab
    if (room.length < size) room = new Float32Array(size)
    return { data: room.subarray(0, size), dims: [picked, vocab] }
  }
}

async function runInCells(
  { runner, logitsOf }: OpenedCells,
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
  if (readsCells) return { g, outputs: { logits } }
  const added = device.cache ? addedOutputs(present) : freshOutputs(g, cache, present)
  return { g, outputs: { logits, ...added } }
}

const tokenInputs = (g: Graph) => ({
  tokens: g.input('tokens', 'int32', ['batch', 'seq']),
  positions: g.input('positions', 'int32', ['batch', 'seq']),
  batch: 'batch',
  seq: 'seq',
})

/** Keys and values, and of int8 their scales. */
function eachPart(
  kept: CacheLayer['kept'],
  make: (part: Part, ofScales: boolean) => Value,
): KeyValue {
  const both = (ofScales: boolean) => ({
    keys: make('keys', ofScales),
    values: make('values', ofScales),
  })
  return { ...both(false), ...(kept === 'int8' && { scales: both(true) }) }
}

/** The pool's buffers, `[cells·kvHeads, headDim]`. */
const poolInputs = (g: Graph, cache: readonly CacheLayer[]): KeyValue[] =>
  cache.map(({ kvHeads, headDim, kept }, layer) => {
    const input = (name: string, dtype: Value['dtype'], width: number) =>
      g.input(name, dtype, [`cells of ${kvHeads}`, width])
    return eachPart(kept, (name, ofScales) =>
      ofScales
        ? input(scalesOf(pastName(layer, name)), g.float, 1)
        : input(pastName(layer, name), kept ?? g.float, headDim),
    )
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
  const past = cache.map(({ kvHeads, kept }, layer) => {
    const { scales, ...tokens } = buffers[layer]!
    return eachPart(kept, (name, ofScales) =>
      g.gatherRows((ofScales ? scales! : tokens)[name], tableOf(kvHeads)),
    )
  })
  const last = g.input('last', 'int32', ['batch'])
  const total = g.input('total', 'int32', [1])
  return { kind: 'cached', past, last, total }
}
