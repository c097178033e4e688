/** @file A model over a cache of keys and values as one ONNX graph; the same graph reads prompts, writes tokens and scores texts. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { createGraph, type Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import type { CacheLayer, KeyValue } from '../models/architecture.ts'
import { cacheOf, type Model } from '../models/registry.ts'
import { createScope, type ScopeOptions } from '../models/scope.ts'
import {
  keptBy,
  keptData,
  liesInFiles,
  openedBy,
  openedWith,
  smallOf,
} from '../models/weights/small-weights.ts'
import { extendsInPlace } from '../runtime/addon-for.ts'
import { dialectOf, type Device } from '../runtime/device.ts'
import { createRunner, type Runner } from '../runtime/session.ts'
import type { Feeds, Tensor } from '../runtime/tensor.ts'
import { freshOutputs, freshTokens } from './fresh-cache.ts'
import { pastName, presentName } from './feeds.ts'
import { openAtOnce, openGraphs } from './open-graphs.ts'
import type { AnyMethod } from '../finetune/method.ts'

/**
 * A model state: which weights never change while the session lives; every other one is fed on each run. A fed matrix of
 * more than 16 rows is multiplied in pieces that depend on the batch and the threads, in a frozen one they do not: what
 * shall give the same bits in any batch must be frozen.
 */
export interface ModelState {
  readonly model: Model
  readonly frozen: ReadonlyMap<string, Float32Array>
  readonly method?: Pick<AnyMethod, 'attach'>
  readonly methodConfig?: unknown
}

/**
 * `next` writes tokens: each row's likeliest next token and its log-probability; `sampled` gives the logits instead;
 * `score` gives the log-probability of labels, and extends the cache only if it is given one to extend.
 */
export type CachedGraph = 'next' | 'sampled' | 'score'

/** What each gives back beside its caches. */
const RESULTS = {
  next: ['token', 'logProb'],
  sampled: ['logits'],
  score: ['logProbs'],
} as const satisfies Record<CachedGraph, readonly string[]>

export interface CachedSession {
  readonly cache: readonly CacheLayer[]
  readonly maxPositions: number
  /** Whether a prompt may be read in two pieces, the second one row a run, in the bits of reading it whole. */
  readonly readsOn?: boolean
  /**
   * Where rotary frequencies depend on a text's length: which ones a text of so many tokens is read with. Its keys are read
   * on with as long as that number stays; then the text is read again.
   */
  readonly stretch?: (length: number) => number
  run(graph: CachedGraph, feeds: Feeds, into?: Feeds): Promise<Record<string, Tensor>>
  /** Opens the graph, if it is not, and says how many nodes it has. */
  nodes(graph: CachedGraph): Promise<number>
  release(): Promise<void>
}

/** Opens each graph when it is first asked for: an evaluation that only generates greedily pays for one. */
export async function openCached(
  state: ModelState,
  device: Device,
  maxPositions: number,
): Promise<CachedSession> {
  const { model } = state
  const cache = cacheOf(model)
  const odd = cache.find(({ headDim }) => headDim % 8 !== 0)
  if (odd) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path: 'The model',
      what: 'attention heads of size',
      found: String(odd.headDim),
      supported: 'multiples of 8',
    })
  }
  const positions = Math.min(maxPositions, model.architecture.maxPositions(model.config))
  const open = (graph: CachedGraph): Promise<Runner> => {
    const { g, outputs } = build(state, device, cache, positions, graph)
    const few = { ...device, threads: Math.min(device.threads, independentThreads(cache)) }
    return createRunner(g, outputs, {
      device: few,
      purpose: 'generate',
      frozen: frozenOf(state, device, g.inputs),
    })
  }
  const graphs = openGraphs(open, openAtOnce(model))
  /** Where results are copied: of one token a row its own keys and values come back, of a text the caches. */
  async function runCopied(runner: Runner, graph: CachedGraph, feeds: Feeds, into: Feeds) {
    const fresh = freshTokens(cache, feeds, into)
    const wanted = [...RESULTS[graph], ...fresh.wanted]
    const results = await runner.run({ ...feeds, ...fresh.feeds }, into, wanted)
    fresh.store(results)
    return results
  }
  const stretch = model.architecture.stretch?.(model.config, positions)
  return {
    cache,
    maxPositions: positions,
    readsOn: device.name === 'cpu' && isPlain(state.frozen) && !stretch,
    ...(stretch && { stretch }),
    run: (graph, feeds, into = {}) =>
      graphs.with(graph, (runner) =>
        extendsInPlace(device)
          ? runner.run(feeds, into, [...RESULTS[graph], ...Object.keys(into)])
          : runCopied(runner, graph, feeds, into),
      ),
    nodes: (graph) => graphs.with(graph, ({ nodes }) => nodes),
    release: () => graphs.release(),
  }
}

/** Whether every matrix is packed: one that is widened at each product is multiplied in other pieces. */
const isPlain = (frozen: ModelState['frozen']): boolean => smallOf(frozen) === undefined

/**
 * With more threads than heads in a batch (of two rows at least), ONNX Runtime splits a long cache between threads, and a
 * row's sums would depend on how many rows stand beside it.
 */
const independentThreads = (cache: readonly CacheLayer[]): number =>
  2 * Math.min(...cache.map(({ heads }) => heads))

/** Elsewhere than on the CPU nothing is known to read bfloat16. */
const readsFiles = ({ frozen }: ModelState, { name }: Device) =>
  name === 'cpu' && liesInFiles(frozen)

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
  graph: CachedGraph,
): { g: Graph; outputs: Record<string, Value> } {
  const { model, frozen, method, methodConfig } = state
  const { architecture, config, weights } = model
  const g = createGraph(dialectOf(device))
  const options: ScopeOptions = {
    maxPositions,
    storage: (readsFiles(state, device) ? openedBy : keptBy)(frozen),
    attach: (site) => method?.attach?.(g, site, methodConfig, 'evaluate'),
  }
  const scope = createScope(g, weights, options)
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const past: KeyValue[] = cache.map(({ kvHeads, headDim }, layer) => {
    const part = (name: 'keys' | 'values') =>
      g.input(pastName(layer, name), g.float, ['batch', kvHeads, 'capacity', headDim])
    return { keys: part('keys'), values: part('values') }
  })
  const last = g.input('last', 'int32', ['batch'])
  const total = g.input('total', 'int32', [1])
  const attention = { kind: 'cached', past, last, total } as const
  const { hiddenStates, present } = architecture.forward(
    scope,
    { tokens, positions, attention, batch: 'batch', seq: 'seq' },
    config,
  )
  const rows = g.input('rows', 'int32', ['picked'])
  const logits = architecture.logits(scope, g.gatherRows(hiddenStates, rows), config)
  const caches = Object.fromEntries(
    present.flatMap(({ keys, values }, layer) => [
      [presentName(layer, 'keys'), keys],
      [presentName(layer, 'values'), values],
    ]),
  )
  const fresh = extendsInPlace(device) ? {} : freshOutputs(g, cache, present)
  const extended = { ...caches, ...fresh }
  if (graph === 'sampled') return { g, outputs: { logits, ...extended } }
  if (graph === 'score') {
    const labels = g.input('labels', 'int32', ['picked'])
    return { g, outputs: { logProbs: g.labelLogProbs(logits, labels), ...extended } }
  }
  const token = g.argMax(logits)
  return { g, outputs: { token, logProb: g.labelLogProbs(logits, token), ...extended } }
}

export interface CacheBuffers {
  readonly past: Feeds
  /** The same buffers, as the outputs that extend them. */
  readonly present: Feeds
}

/** Empty buffers for `batch` rows of up to `capacity` tokens; what they hold beyond a row's length is never read. */
export function emptyCache(
  cache: CachedSession['cache'],
  batch: number,
  capacity: number,
): CacheBuffers {
  const past: Record<string, Tensor> = {}
  const present: Record<string, Tensor> = {}
  for (const [layer, { kvHeads, headDim }] of cache.entries()) {
    const dims = [batch, kvHeads, capacity, headDim]
    for (const part of ['keys', 'values'] as const) {
      const buffer = { data: new Float32Array(batch * kvHeads * capacity * headDim), dims }
      past[pastName(layer, part)] = buffer
      present[presentName(layer, part)] = buffer
    }
  }
  return { past, present }
}
