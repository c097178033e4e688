/** @file An encoder as ONNX graphs: logits over its classes, or one vector per text. Padding does not change results. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { Dialect } from '../graph/op.ts'
import { createGraph, type Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import { meanPooled, statesAt } from '../models/pooling.ts'
import { createScope, forwardPass } from '../models/scope.ts'
import { dialectOf, type Device } from '../runtime/device.ts'
import { createRunner, type Runner } from '../runtime/session.ts'
import type { ModelState } from './cached-graph.ts'
import { countingPositions, inCompany, int32 } from './feeds.ts'
import { openGraphs } from './open-graphs.ts'

/** `classes`: logits `[classes]` of each text. `embedding`: the mean over its tokens, normalised to length 1, `[hidden]`. */
export type EncoderGraph = 'classes' | 'embedding'

export interface EncoderSession {
  readonly maxPositions: number
  /** Texts as token ids with special tokens; one result per text, in order. */
  run(graph: EncoderGraph, texts: readonly (readonly number[])[]): Promise<Float32Array[]>
  release(): Promise<void>
}

export function openEncoderSession(
  state: ModelState,
  device: Device,
  { maxPositions, padId, batchSize }: { maxPositions: number; padId: number; batchSize: number },
): EncoderSession {
  const { architecture, config } = state.model
  const longest = Math.min(maxPositions, architecture.maxPositions(config))
  const graphs = openGraphs((graph: EncoderGraph) => open(state, device, longest, graph))
  return {
    maxPositions: longest,
    run: (graph, texts) =>
      graphs.with(graph, async (runner) => {
        const results: Float32Array[] = []
        for (let start = 0; start < texts.length; start += batchSize) {
          const batch = texts.slice(start, start + batchSize)
          results.push(...(await runBatch(runner, batch, padId)).slice(0, batch.length))
          await new Promise(setImmediate)
        }
        return results
      }),
    release: () => graphs.release(),
  }
}

function open(
  state: ModelState,
  device: Device,
  maxPositions: number,
  graph: EncoderGraph,
): Promise<Runner> {
  const { g, y } = build(state, dialectOf(device), maxPositions, graph)
  const read = new Set(g.inputs.map(({ name }) => name))
  const frozen = new Map([...state.frozen].filter(([name]) => read.has(name)))
  return createRunner(g, { y }, { device, purpose: 'generate', frozen })
}

function build(
  { model, method }: ModelState,
  dialect: Dialect,
  maxPositions: number,
  graph: EncoderGraph,
): { g: Graph; y: Value } {
  const { architecture, config, weights } = model
  if (architecture.kind !== 'encoder')
    throw new TouchstoneError('model.not-an-encoder', { architecture: architecture.name })
  const g = createGraph(dialect)
  const scope = createScope(g, weights, {
    maxPositions,
    attach: method?.attach,
    gate: method?.gate,
  })
  const [batch, seq] = ['batch', 'seq']
  const tokens = g.input('tokens', 'int32', [batch, seq])
  const positions = g.input('positions', 'int32', [batch, seq])
  const segments = g.input('segments', 'int32', [batch, seq])
  const attention = { kind: 'bidirectional', segments } as const
  const input = { tokens, positions, attention, batch, seq }
  if (graph === 'embedding') {
    const { hiddenStates } = forwardPass(scope, model, input)
    return { g, y: meanPooled(architecture, g, { hiddenStates, segments, batch, seq }) }
  }
  const rows = g.input('first', 'int32', [batch])
  const states = statesAt(scope, model, input, { rows, oneText: true })
  return { g, y: architecture.logits(scope, states, config) }
}

/** Segment of padding tokens. */
const PADDING = -1

async function runBatch(
  runner: Runner,
  texts: readonly (readonly number[])[],
  padId: number,
): Promise<Float32Array[]> {
  const rows = inCompany(texts)
  const seq = Math.max(...rows.map((ids) => ids.length))
  const tokens = new Int32Array(rows.length * seq).fill(padId)
  const segments = new Int32Array(rows.length * seq).fill(PADDING)
  rows.forEach((ids, b) => {
    tokens.set(ids, b * seq)
    segments.fill(0, b * seq, b * seq + ids.length)
  })
  const { y } = await runner.run({
    tokens: int32(tokens, [rows.length, seq]),
    positions: countingPositions(rows.length, seq),
    segments: int32(segments, [rows.length, seq]),
    first: int32(rows.map((_, b) => b * seq)),
  })
  const width = y!.dims[1]!
  const data = y!.data as Float32Array
  return rows.map((_, b) => data.slice(b * width, (b + 1) * width))
}
