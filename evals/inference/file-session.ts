/**
 * @file A checkpoint's own ONNX graph behind the interface of our cached graphs. Each row runs alone and without padding, so
 * its result does not depend on other rows, and the graph needs no mask for tokens in the middle.
 */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { OwnGraph } from '../models/formats/onnx/own-graph.ts'
import type { CachePort, DecoderPorts } from '../models/formats/onnx/io.ts'
import type { FileValue } from '../graph/import/graph-file.ts'
import type { CacheLayer } from '../models/architecture.ts'
import type { Device } from '../runtime/device.ts'
import {
  openGraphFile,
  type FileRunner,
  type FileTensor,
  type InMemory,
} from '../runtime/graph-file.ts'
import type { Feeds, Tensor } from '../runtime/tensor.ts'
import type { CachedGraph, CachedSession } from './cached-graph.ts'
import { pastName } from './feeds.ts'

/** @param memory weights that replace the file's; omitted, the file runs as other programs would run it */
export async function openFileSession(
  { path, file, ports, maxPositions }: OwnGraph,
  device: Device,
  longest: number,
  memory?: InMemory,
): Promise<CachedSession> {
  // Reopens on use after release, as our own graphs do.
  let opened: Promise<FileRunner> | undefined
  const runnerOf = () => (opened ??= openGraphFile(path, device, memory))
  await runnerOf()
  return {
    cache: ports.layers.length > 0 ? ports.layers : [MEMORY],
    maxPositions: Math.min(longest, maxPositions),
    async run(graph, feeds, into) {
      const logits = await logitsOf({ runner: await runnerOf(), ports, path }, feeds, into)
      return READ[graph](logits, feeds)
    },
    nodes: () => Promise.resolve(file.nodes.length),
    async release() {
      const last = opened
      opened = undefined
      await (await last)?.release()
    },
  }
}

/** A graph without a cache is given the whole text on each run; the text's tokens are stored in place of keys. */
const MEMORY: CacheLayer = { heads: 1, kvHeads: 1, headDim: 1 }

/** Logits `[rows, vocab]` of the requested rows; writes new keys and values to the cache `into`. */
async function logitsOf(opened: OpenFile, feeds: Feeds, into: Feeds | undefined): Promise<Logits> {
  const { vocab } = opened.ports
  const [batch, seq] = feeds.tokens!.dims as [number, number]
  const requested = Map.groupBy(feeds.rows!.data.keys(), (i) =>
    Math.floor(Number(feeds.rows!.data[i]) / seq),
  )
  const all = new Float32Array(feeds.rows!.data.length * vocab)
  for (let row = 0; row < batch; row++) {
    if (!into && !requested.has(row)) continue
    const text = newTokens(feeds, row, seq)
    const found = await runRow(opened, text, { feeds, into, row })
    // A graph without a cache also returns logits of the past; a pruned one returns the last token's only.
    const first = found.length / vocab - text.ids.length
    for (const i of requested.get(row) ?? []) {
      const start = (first + Number(feeds.rows!.data[i]) - row * seq) * vocab
      if (start < 0) throw lacksLogits(opened.path)
      all.set(found.subarray(start, start + vocab), i * vocab)
    }
  }
  return { data: all, vocab }
}

interface OpenFile {
  readonly runner: FileRunner
  readonly ports: DecoderPorts
  readonly path: string
}

const lacksLogits = (path: string) =>
  new TouchstoneError('onnx.not-a-decoder', {
    path,
    found: 'logits of the last token alone',
    expected: 'logits of every token',
  })

interface NewTokens {
  readonly ids: readonly number[]
  /** Tokens before them. */
  readonly past: number
}

function newTokens({ tokens, positions, last }: Feeds, row: number, seq: number): NewTokens {
  const past = Number(positions!.data[row * seq])
  const count = Number(last!.data[row]) - past + 1
  return { past, ids: Array.from(tokens!.data.subarray(row * seq, row * seq + count), Number) }
}

interface Where {
  readonly feeds: Feeds
  readonly into: Feeds | undefined
  readonly row: number
}

/** Logits of every new token, `[tokens × vocab]`. */
async function runRow(
  { runner, ports }: OpenFile,
  { ids, past }: NewTokens,
  { feeds, into, row }: Where,
): Promise<Float32Array> {
  const caches = cachesOf(ports, feeds, row)
  const isWhole = caches.length === 0
  const memory = isWhole ? memoryOf(feeds, row) : undefined
  const before = memory ? Array.from(memory.subarray(0, past)) : []
  memory?.set(ids, past)
  const run = [...before, ...ids]
  const first = isWhole ? 0 : past
  const inputs: Record<string, FileTensor> = { [ports.tokens.name]: whole(ports.tokens, run) }
  const ones = new Array<number>(past + ids.length).fill(1)
  if (ports.mask) inputs[ports.mask.name] = whole(ports.mask, ones)
  const places = run.map((_, i) => first + i)
  if (ports.positions) inputs[ports.positions.name] = whole(ports.positions, places)
  for (const { port, buffer } of caches) inputs[port.past] = firstColumns(buffer, past)
  const wanted = into ? caches.map(({ port }) => port.present) : []
  const { [ports.logits]: logits, ...present } = await runner.run(inputs, [ports.logits, ...wanted])
  if (into)
    for (const { port, buffer } of caches)
      takeColumns(buffer, present[port.present]!.data as Float32Array, past, ids.length)
  return logits!.data as Float32Array
}

const whole = ({ dtype }: FileValue, values: readonly number[]): FileTensor => ({
  dtype: dtype as 'int64' | 'int32',
  data: dtype === 'int64' ? BigInt64Array.from(values, BigInt) : Int32Array.from(values),
  dims: [1, values.length],
})

/** A view of one row's keys or values, `[heads, capacity, size]`. */
interface Buffer {
  readonly data: Float32Array
  readonly heads: number
  readonly capacity: number
  readonly size: number
}

function cachesOf(ports: DecoderPorts, feeds: Feeds, row: number) {
  return ports.layers.flatMap(({ keys, values }, layer) => {
    const part = (port: CachePort, name: 'keys' | 'values') => ({
      port,
      buffer: rowOf(feeds[pastName(layer, name)]!, row),
    })
    return [part(keys, 'keys'), part(values, 'values')]
  })
}

function rowOf({ data, dims }: Tensor, row: number): Buffer {
  const [, heads, capacity, size] = dims as [number, number, number, number]
  const length = heads * capacity * size
  const own = (data as Float32Array).subarray(row * length, (row + 1) * length)
  return { data: own, heads, capacity, size }
}

const memoryOf = (feeds: Feeds, row: number) => rowOf(feeds[pastName(0, 'keys')]!, row).data

/** `[1, heads, count, size]`. */
function firstColumns({ data, heads, capacity, size }: Buffer, count: number): FileTensor {
  const taken = new Float32Array(heads * count * size)
  for (let head = 0; head < heads; head++) {
    const start = head * capacity * size
    taken.set(data.subarray(start, start + count * size), head * count * size)
  }
  return { dtype: 'float32', data: taken, dims: [1, heads, count, size] }
}

/** Copies columns from `past` on, out of a result with past + count columns. */
function takeColumns(
  { data, heads, capacity, size }: Buffer,
  present: Float32Array,
  past: number,
  count: number,
): void {
  const total = present.length / heads / size
  for (let head = 0; head < heads; head++) {
    const from = (head * total + total - count) * size
    const fresh = present.subarray(from, from + count * size)
    data.set(fresh, (head * capacity + past) * size)
  }
}

interface Logits {
  readonly data: Float32Array
  readonly vocab: number
}

type Read = (logits: Logits, feeds: Feeds) => Record<string, Tensor>

const READ: Readonly<Record<CachedGraph, Read>> = {
  sampled: ({ data, vocab }) => ({ logits: { data, dims: [data.length / vocab, vocab] } }),
  next(logits) {
    const rows = rowsOf(logits)
    const best = rows.map((row) => row.reduce((most, x, i) => (x > row[most]! ? i : most), 0))
    return {
      token: { data: Int32Array.from(best), dims: [rows.length] },
      logProb: logProbs(rows, best),
    }
  },
  score(logits, { labels }) {
    return { logProbs: logProbs(rowsOf(logits), Array.from(labels!.data, Number)) }
  },
}

const rowsOf = ({ data, vocab }: Logits): Float32Array[] =>
  Array.from({ length: data.length / vocab }, (_, i) => data.subarray(i * vocab, (i + 1) * vocab))

/** log softmax at each row's label, in float64. */
function logProbs(rows: readonly Float32Array[], labels: readonly number[]): Tensor {
  const found = rows.map((row, i) => {
    const most = row.reduce((largest, x) => Math.max(largest, x), -Infinity)
    const sum = row.reduce((total, x) => total + Math.exp(x - most), 0)
    return row[labels[i]!]! - most - Math.log(sum)
  })
  return { data: Float32Array.from(found), dims: [rows.length] }
}
