/**
 * @file Stacked adapters of one base in one graph (S-LoRA; docs/methods/lora.md): y = x·Wᵀ + x·Aₖ·Bₖ for a row of adapter k.
 * The base's product covers all rows, the low-rank products the rows of each adapter. Adapters are fed, so that changing them
 * does not pack the base again.
 *
 * A row's bits do not depend on other rows: an adapter's products have at least two rows, no product is split between threads,
 * and ranks are stacked only where the kernel sums them in the same pieces (`rankClass`).
 */
import type { Graph } from '../graph/ops/index.ts'
import { multiply } from '../graph/shape.ts'
import type { Value } from '../graph/value.ts'
import type { Model } from '../models/registry.ts'
import type { Adapter, LinearSite } from '../models/scope.ts'
import type { LowRank } from '../models/weights/adapter-changes.ts'
import type { Device } from '../runtime/device.ts'
import type { Feeds, Tensor } from '../runtime/tensor.ts'
import { openCached, type CachedSession } from './cached-graph.ts'
import { int32 } from './feeds.ts'

/** The low-rank changes of a fine-tune by weight name; nothing else of the base changes. */
export type LowRankChanges = ReadonlyMap<string, LowRank>

/** Adapters with the same key can be stacked: the same layers, with the same order of sums. */
export const stackKind = (changes: LowRankChanges): string =>
  [...changes]
    .map(([name, { rank }]) => `${name}:${rankClass(rank)}`)
    .sort()
    .join()

/** MLAS sums a product of `rank` columns in pieces whose length depends on this class only (at most 16, 32, 64, …). */
const rankClass = (rank: number): number => Math.max(16, 2 ** Math.ceil(Math.log2(rank)))

/** Whether every changed layer is adaptable and the graph is ours. */
export const canStack = (
  { weights, graph }: Model,
  changes: ReadonlyMap<string, unknown>,
): boolean =>
  !graph && changes.size > 0 && [...changes.keys()].every((name) => weights.get(name)?.module)

/** Names of the inputs of one stack; a graph may have several, each of adapters of one kind. */
const STACK = 'stack'
export const nameOfA = (weight: string, stack = STACK) => `${stack}.A.${weight}`
export const nameOfB = (weight: string, stack = STACK) => `${stack}.B.${weight}`
/** int32 `[adapters, blocks, perBlock]`: the rows of x for each adapter, in blocks of equal size. */
const rowsName = (stack: string) => `${stack}.rows`
/** int32 `[batch, seq]`: the position of each row's product among those. */
const placesName = (stack: string) => `${stack}.places`

function input(g: Graph, name: string, shape: Value['shape']): Value {
  const known = g.inputs.find((value) => value.name === name)
  return known ?? g.input(name, 'int32', shape)
}

/** One stack's update of x `[batch·seq, in]`: x·A·B of each row's own adapter, `[batch·seq, out]`. */
function stackedUpdate(
  g: Graph,
  { name, inFeatures, outFeatures }: LinearSite,
  x: Value,
  stack: string,
): Value {
  const [adapters, rank] = [`adapters of ${stack}`, `rank of ${name} in ${stack}`]
  // With s folded into B.
  const A = g.input(nameOfA(`${name}.weight`, stack), g.float, [adapters, 1, inFeatures, rank])
  const B = g.input(nameOfB(`${name}.weight`, stack), g.float, [adapters, 1, rank, outFeatures])
  const [blocks, perBlock] = [`blocks of ${stack}`, `rows a block of ${stack}`]
  const rows = input(g, rowsName(stack), [adapters, blocks, perBlock])
  const places = input(g, placesName(stack), ['batch', 'seq'])
  const own = g.matMul(g.matMul(g.gatherRows(x, rows), A), B)
  const update = g.reshape(own, [multiply(...rows.shape), outFeatures])
  return g.gatherRows(update, g.reshape(places, [x.shape[0]!]))
}

/** The updates of every stack in `stacks` are added. */
export function stackedAdapter(
  g: Graph,
  site: LinearSite,
  stacks: readonly string[] = [STACK],
): Adapter {
  return {
    forward: (x) =>
      stacks.reduce(
        (y, stack) => g.add(y, stackedUpdate(g, site, x, stack)),
        g.matMulT(x, site.weight),
      ),
    weight() {
      throw new Error('internal: several adapters have no weight in common')
    },
  }
}

/** The base's graphs, for any adapters of these layers. */
export interface StackSession {
  readonly weights: ReadonlySet<string>
  /** A session whose feed `adapters`, int32 `[batch]`, gives each row's index into `adapters`. */
  with(adapters: readonly LowRankChanges[]): CachedSession
  release(): Promise<void>
}

export async function openStack(
  { model, frozen }: { readonly model: Model; readonly frozen: ReadonlyMap<string, Float32Array> },
  weights: ReadonlySet<string>,
  device: Device,
  maxPositions: number,
): Promise<StackSession> {
  const attach = (g: Graph, site: LinearSite) =>
    weights.has(`${site.name}.weight`) ? stackedAdapter(g, site) : undefined
  const session = await openCached({ model, frozen, method: { attach } }, device, maxPositions)
  return {
    weights,
    with: (adapters) => stacked(session, stackOf(adapters), device.threads),
    release: () => session.release(),
  }
}

interface Stack {
  readonly count: number
  /** Views of the tensors of adapters `first` ≤ k < `end`. */
  part(first: number, end: number): Feeds
}

function stackOf(adapters: readonly LowRankChanges[]): Stack {
  const all = new Map<string, Tensor>()
  for (const name of adapters[0]?.keys() ?? []) {
    const own = adapters.map((changes) => changes.get(name)!)
    // A product of one column would use another kernel.
    const rank = Math.max(2, ...own.map((change) => change.rank))
    const columns = own[0]!.A.length / own[0]!.rank
    const rows = own[0]!.B.length / own[0]!.rank
    const A = new Float32Array(own.length * columns * rank)
    const B = new Float32Array(own.length * rank * rows)
    own.forEach((change, k) => {
      turned(change.A, [change.rank, columns], A.subarray(k * columns * rank), rank, 1)
      turned(change.B, [rows, change.rank], B.subarray(k * rank * rows), rows, change.scale)
    })
    all.set(nameOfA(name), { data: A, dims: [own.length, 1, columns, rank] })
    all.set(nameOfB(name), { data: B, dims: [own.length, 1, rank, rows] })
  }
  return {
    count: adapters.length,
    part: (first, end) =>
      Object.fromEntries([...all].map(([name, t]) => [name, slice(t, first, end)])),
  }
}

/** `into` `[columns, width]` = factor · source `[rows, columns]`ᵀ; elements beyond `rows` are unchanged. */
export function turned(
  source: Float32Array,
  [rows, columns]: readonly [number, number],
  into: Float32Array,
  width: number,
  factor: number,
): void {
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) into[j * width + i] = factor * source[i * columns + j]!
}

function slice({ data, dims }: Tensor, first: number, end: number): Tensor {
  const one = data.length / dims[0]!
  const part = (data as Float32Array).subarray(first * one, end * one)
  return { data: part, dims: dims.with(0, end - first) }
}

function stacked(session: CachedSession, stack: Stack, threads: number): CachedSession {
  let [from, to] = [0, stack.count]
  let tensors = stack.part(from, to)
  const between = (first: number, end: number): Feeds => {
    if (first !== from || end !== to) {
      tensors = stack.part(first, end)
      ;[from, to] = [first, end]
    }
    return tensors
  }
  return {
    ...session,
    run(graph, feeds, into) {
      const adapters = feeds.adapters!.data as Int32Array
      const [first, end] = [Math.min(...adapters), Math.max(...adapters) + 1]
      if (first < 0 || end > stack.count)
        throw new Error(`internal: there are ${stack.count} adapters, none is number ${end - 1}`)
      const seq = feeds.tokens!.dims[1]!
      const own = adapters.map((k) => k - first)
      const arranged = arrange(own, end - first, seq, threads)
      return session.run(graph, { ...feeds, ...between(first, end), ...arranged }, into)
    },
  }
}

/**
 * Groups the rows of x `[batch·seq, in]` by adapter. There are at least as many blocks as threads, so that MLAS gives each
 * block to one thread, and at least two rows per block, because one row uses another kernel. A row of no adapter, -1, reads the
 * first product of adapter 0, which is then one of zeros.
 */
export function arrange(
  adapters: ArrayLike<number>,
  count: number,
  seq: number,
  threads: number,
  stack = STACK,
): Feeds {
  const own = Array.from({ length: count }, (): number[] => [])
  for (let b = 0; b < adapters.length; b++) own[adapters[b]!]?.push(b)
  const most = seq * Math.max(...own.map(({ length }) => length))
  const blocks = Math.ceil(threads / count)
  const perBlock = Math.max(2, Math.ceil(most / blocks))
  const room = blocks * perBlock
  const rows = new Int32Array(count * room)
  const places = new Int32Array(adapters.length * seq)
  own.forEach((batchRows, k) => {
    let next = k * room
    // Of an adapter that computes no number, no other row may become one.
    if (batchRows.length > 0) rows.fill(batchRows[0]! * seq, next, next + room)
    for (const b of batchRows)
      for (let t = b * seq; t < (b + 1) * seq; t++, next++) {
        rows[next] = t
        places[t] = next
      }
  })
  return {
    [rowsName(stack)]: int32(rows, [count, blocks, perBlock]),
    [placesName(stack)]: int32(places, [adapters.length, seq]),
  }
}
