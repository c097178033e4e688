/** @file A model with a cache of keys and values as ONNX graphs, for reading prompts, generating tokens and scoring texts. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { createGraph, type Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import type { CacheLayer } from '../models/architecture.ts'
import { cacheOf, type Model } from '../models/registry.ts'
import { createScope, forwardPass } from '../models/scope.ts'
import {
  areInBlocks,
  areInFiles,
  askedStorage,
  keptData,
  openedStorage,
  openedWith,
  smallOf,
} from '../models/weights/small-weights.ts'
import { extendsInPlace } from '../runtime/addon-for.ts'
import { dialectOf, type Device } from '../runtime/device.ts'
import { createRunner, type Runner } from '../runtime/session.ts'
import type { Feeds, Tensor } from '../runtime/tensor.ts'
import { freshOutputs, freshTokens } from './fresh-cache.ts'
import { int32, pastName, presentName, scalesOf } from './feeds.ts'
import { openAtOnce, openGraphs } from './open-graphs.ts'
import {
  addedInto,
  addedNames,
  addedOutputs,
  cacheArrays,
  keptCache,
  pastInput,
  storeAdded,
} from './small-cache.ts'
import type { BoundMethod } from '../finetune/method.ts'

/**
 * A model and which of its weights are frozen for the session's life; all others are fed on each run. ONNX Runtime multiplies
 * a fed matrix of more than 16 rows in pieces that depend on the batch and the threads, a frozen one does not. So a weight
 * must be frozen if results shall have the same bits in any batch.
 */
export interface ModelState {
  readonly model: Model
  readonly frozen: ReadonlyMap<string, Float32Array>
  readonly method?: Pick<BoundMethod, 'attach' | 'gate'>
}

/**
 * `next`: each row's most likely next token and its log-probability. `sampled`: logits instead. `score`: log-probabilities of
 * labels; extends the cache only if it is given one to extend. Generating and scoring are outputs of one graph, so that the
 * matrices are packed once.
 */
export type CachedGraph = 'next' | 'sampled' | 'score'

/** Outputs besides the caches. */
const RESULTS = {
  next: ['token', 'logProb'],
  sampled: ['logits'],
  score: ['logProbs'],
} as const satisfies Record<CachedGraph, readonly string[]>

type Opened = 'answers' | 'logits'

const openedFor = (graph: CachedGraph): Opened => (graph === 'sampled' ? 'logits' : 'answers')

export interface CachedSession {
  readonly cache: readonly CacheLayer[]
  readonly maxPositions: number
  /** Whether reading a prompt in two runs, the second one row at a time, gives the same bits as one run. */
  readonly splitsPrompts?: boolean
  /** Whether a row that is computed alone has the same bits as beside others, so that it need not be doubled. */
  readonly standsAlone?: boolean
  /**
   * Present where rotary frequencies depend on a text's length: identifies the frequencies used for a length. When it changes,
   * cached keys are stale and the text is computed again.
   */
  readonly stretch?: (length: number) => number
  run(graph: CachedGraph, feeds: Feeds, into?: Feeds): Promise<Record<string, Tensor>>
  /** Opens the graph if necessary and returns its number of nodes. */
  nodes(graph: CachedGraph): Promise<number>
  release(): Promise<void>
}

/** Each graph is opened on first use. */
export async function openCached(
  state: ModelState,
  device: Device,
  maxPositions: number,
): Promise<CachedSession> {
  const { model } = state
  const own = keptCache(cacheOf(model), device.cache)
  const cache = state.method?.gate ? [...own, ...own] : own
  requireHeadSize(cache)
  const positions = Math.min(maxPositions, model.architecture.maxPositions(model.config))
  const graphs = openGraphs(
    (graph: Opened) => openRunner(state, device, cache, positions, graph),
    openAtOnce(model),
  )
  const stretch = model.architecture.stretch?.(model.config, positions)
  return {
    cache,
    maxPositions: positions,
    splitsPrompts: device.name === 'cpu' && isPacked(state.frozen) && !stretch,
    standsAlone: standsAlone(state, device, cache),
    ...(stretch && { stretch }),
    run: (graph, given, into = {}) =>
      graphs.with(openedFor(graph), (runner) => {
        const feeds = graph === 'next' ? { ...given, labels: unread(given) } : given
        if (device.cache) return runKept(runner, cache, graph, feeds, into, extendsInPlace(device))
        return extendsInPlace(device)
          ? runner.run(feeds, into, [...RESULTS[graph], ...Object.keys(into)])
          : runCopied(runner, cache, graph, feeds, into)
      }),
    nodes: (graph) => graphs.with(openedFor(graph), ({ nodes }) => nodes),
    release: () => graphs.release(),
  }
}

/** Labels of rows that are asked for their next token alone. */
const unread = ({ rows }: Feeds): Tensor => int32(new Int32Array(rows!.data.length))

export function requireHeadSize(cache: readonly CacheLayer[]): void {
  const odd = cache.find(({ headDim }) => headDim % 8 !== 0)
  if (!odd) return
  throw new TouchstoneError('checkpoint.unsupported', {
    path: 'The model',
    what: 'attention heads of size',
    found: String(odd.headDim),
    supported: 'multiples of 8',
  })
}

function openRunner(
  state: ModelState,
  device: Device,
  cache: CachedSession['cache'],
  maxPositions: number,
  graph: Opened,
): Promise<Runner> {
  return openRunnerOf(state, device, cache, build(state, device, cache, maxPositions, graph))
}

/** Runs a graph of this state that extends a cache. */
export const openRunnerOf = (
  state: ModelState,
  device: Device,
  cache: CachedSession['cache'],
  { g, outputs }: { readonly g: Graph; readonly outputs: Readonly<Record<string, Value>> },
): Promise<Runner> =>
  createRunner(g, outputs, {
    device: { ...device, threads: Math.min(device.threads, independentThreads(cache)) },
    purpose: 'generate',
    frozen: frozenOf(state, device, g.inputs),
  })

/** A run on devices that copy results: with one token per row only its own keys and values come back, else the whole caches. */
async function runCopied(
  runner: Runner,
  cache: CachedSession['cache'],
  graph: CachedGraph,
  feeds: Feeds,
  into: Feeds,
) {
  const fresh = freshTokens(cache, feeds, into)
  const wanted = [...RESULTS[graph], ...fresh.wanted]
  const results = await runner.run({ ...feeds, ...fresh.feeds }, into, wanted)
  fresh.store(results)
  return results
}

/** A run on a cache in fewer bits. */
async function runKept(
  runner: Runner,
  cache: CachedSession['cache'],
  graph: CachedGraph,
  feeds: Feeds,
  into: Feeds,
  inPlace: boolean,
) {
  const extended = Object.keys(into).length > 0 ? cache : []
  const wanted = [...RESULTS[graph], ...addedNames(extended)]
  const added = inPlace ? addedInto(extended, feeds) : {}
  const results = await runner.run(feeds, added, wanted)
  // What comes back of float16 are words over the same memory.
  storeAdded(extended, feeds, into, { ...results, ...added })
  return results
}

/** Whether ONNX Runtime packs every matrix; one that is widened at each product is multiplied in other pieces. */
const isPacked = (frozen: ModelState['frozen']): boolean => smallOf(frozen) === undefined

/** Products with blocks sum a row without regard to the others; attention does with a thread for no more than a head. */
const standsAlone = (
  { model, frozen, method }: ModelState,
  { name, threads }: Device,
  cache: CachedSession['cache'],
): boolean =>
  name === 'cpu' &&
  !method &&
  areInBlocks(frozen, model.weights.values()) &&
  cache.every(({ heads }) => threads <= heads)

/**
 * With more threads than heads in a batch of two rows, ONNX Runtime splits a long cache between threads, and a row's sums
 * depend on the number of rows.
 */
const independentThreads = (cache: readonly CacheLayer[]): number =>
  2 * Math.min(...cache.map(({ heads }) => heads))

/** Only the CPU is known to read bfloat16. */
const readsFiles = ({ frozen }: ModelState, { name }: Device) =>
  name === 'cpu' && areInFiles(frozen)

/** How a graph declares the frozen weights. */
export const weightStorage = (state: ModelState, device: Device) =>
  (readsFiles(state, device) ? openedStorage : askedStorage)(state.frozen)

function frozenOf(state: ModelState, device: Device, inputs: readonly Value[]) {
  const given = readsFiles(state, device) ? openedWith : keptData
  return new Map(
    inputs.flatMap(({ name }) => {
      const data = given(state.frozen, name)
      return data ? [[name, data] as const] : []
    }),
  )
}

function build(
  state: ModelState,
  device: Device,
  cache: CachedSession['cache'],
  maxPositions: number,
  graph: Opened,
): { g: Graph; outputs: Record<string, Value> } {
  const { model, method } = state
  const { architecture, config, weights } = model
  const g = createGraph(dialectOf(device))
  const scope = createScope(g, weights, {
    maxPositions,
    storage: weightStorage(state, device),
    attach: method?.attach,
    gate: method?.gate,
  })
  const { hiddenStates, present } = forwardPass(scope, model, cachedInputs(g, cache))
  const rows = g.input('rows', 'int32', ['picked'])
  const logits = architecture.logits(scope, g.gatherRows(hiddenStates, rows), config)
  const results = resultsOf(g, graph, logits)
  if (device.cache) return { g, outputs: { ...results, ...addedOutputs(present) } }
  const caches = Object.fromEntries(
    present.flatMap(({ keys, values }, layer) => [
      [presentName(layer, 'keys'), keys],
      [presentName(layer, 'values'), values],
    ]),
  )
  const fresh = extendsInPlace(device) ? {} : freshOutputs(g, cache, present)
  return { g, outputs: { ...results, ...caches, ...fresh } }
}

/** New tokens `[batch, seq]` and the cache that they extend. */
function cachedInputs(g: Graph, cache: CachedSession['cache']) {
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const past = cache.map((each, layer) => pastInput(g, layer, each))
  const last = g.input('last', 'int32', ['batch'])
  const total = g.input('total', 'int32', [1])
  const attention = { kind: 'cached', past, last, total } as const
  return { tokens, positions, attention, batch: 'batch', seq: 'seq' }
}

/** The outputs named in `RESULTS`, from logits `[picked, vocab]`. */
function resultsOf(g: Graph, graph: Opened, logits: Value): Record<string, Value> {
  if (graph === 'logits') return { logits }
  const labels = g.input('labels', 'int32', ['picked'])
  const [token, logProb, logProbs] = g.nextAndLabelled(logits, labels)
  return { token, logProb, logProbs }
}

export interface CacheBuffers {
  readonly past: Feeds
  /** The same buffers as the outputs that extend them. */
  readonly present: Feeds
}

/** Empty buffers for `batch` rows of up to `capacity` tokens. Values beyond a row's length are never read. */
export function emptyCache(
  cache: CachedSession['cache'],
  batch: number,
  capacity: number,
): CacheBuffers {
  const past: Record<string, Tensor> = {}
  const present: Record<string, Tensor> = {}
  for (const [layer, { kvHeads, headDim, kept }] of cache.entries()) {
    const tokens = batch * kvHeads * capacity
    const dims = [batch, kvHeads, capacity]
    for (const part of ['keys', 'values'] as const) {
      const { data, scales } = cacheArrays(kept, tokens * headDim, tokens)
      const [before, after] = [pastName(layer, part), presentName(layer, part)]
      past[before] = present[after] = { data, dims: [...dims, headDim] }
      if (scales)
        past[scalesOf(before)] = present[scalesOf(after)] = { data: scales, dims: [...dims, 1] }
    }
  }
  return { past, present }
}

/** Frees the buffers at once; V8, which sees small objects, would let them lie beside the next ones. */
export function freeCache(buffers: Feeds): void {
  for (const { data } of Object.values(buffers)) (data.buffer as ArrayBuffer).transfer(0)
}
