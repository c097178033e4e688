/** @file A model's loss over labelled rows in a graph, and what that graph is fed. */
import type { Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import type { ForwardInput, ModelScope } from '../models/architecture.ts'
import type { Model } from '../models/registry.ts'
import { createScope, type ScopeOptions } from '../models/scope.ts'
import type { Feeds, Tensor } from '../runtime/session.ts'
import type { Batch, LossInputs } from './method.ts'

/** A weight of the base as it was, beside the weight that is run, which a method may have moved. */
export const REFERENCE = 'reference:'

export interface LossGraph extends Omit<LossInputs, 'outputs'> {
  readonly logits: Value
}

/** Logits `[labelled, vocab]` (or classes), labels int32 `[labelled]`, and −Σ weight·log p(label) `[]`. */
export function buildLoss(g: Graph, model: Model, options: ScopeOptions): LossGraph {
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const segments = g.input('segments', 'int32', ['batch', 'seq'])
  const rows = g.input('rows', 'int32', ['labelled'])
  const labels = g.input('labels', 'int32', ['labelled'])
  const rowWeights = g.input('row_weights', g.float, ['labelled'])
  const kind = model.architecture.sees === 'all' ? 'full' : 'packed'
  const fed = { tokens, positions, attention: { kind, segments }, rows } as const
  const logits = logitsOf(createScope(g, model.weights, options), model, fed)
  const named: Graph = {
    ...g,
    input: (name, dtype, shape) => g.input(`${REFERENCE}${name}`, dtype, shape),
    stored: (name, shape, storage) => g.stored(`${REFERENCE}${name}`, shape, storage),
  }
  const { maxPositions, storage } = options
  const asBase = { maxPositions, ...(storage && { storage }) }
  return {
    logits,
    labels,
    rowWeights,
    taskLoss: g.crossEntropy(logits, labels, rowWeights),
    reference: () => logitsOf(createScope(named, model.weights, asBase), model, fed),
  }
}

/** A head over a vocabulary is wide: it sees only the rows whose next token is labelled. One over classes sees first tokens. */
function logitsOf(
  scope: ModelScope,
  { architecture, config }: Model,
  { rows, ...fed }: Pick<ForwardInput, 'tokens' | 'positions' | 'attention'> & { rows: Value },
): Value {
  const input = { ...fed, batch: 'batch', seq: 'seq' }
  const { hiddenStates } = architecture.forward(scope, input, config)
  return architecture.logits(scope, scope.g.gatherRows(hiddenStates, rows), config)
}

type AsFloat = (data: Float32Array) => Float32Array | Float64Array

export function batchFeeds(
  { tokens, positions, segments, batch, seq, rows, labels, weights }: Batch,
  asFloat: AsFloat,
): Feeds {
  return {
    tokens: { data: tokens, dims: [batch, seq] },
    positions: { data: positions, dims: [batch, seq] },
    segments: { data: segments, dims: [batch, seq] },
    rows: { data: rows, dims: [rows.length] },
    labels: { data: labels, dims: [labels.length] },
    row_weights: { data: asFloat(weights), dims: [weights.length] },
  }
}

/** Tensors by name as the runtime takes them. */
export function namedFeeds(
  tensors: Iterable<readonly [string, { shape: readonly number[]; data: Float32Array }]>,
  asFloat: AsFloat,
): Record<string, Tensor> {
  return Object.fromEntries(
    [...tensors].map(([name, { shape, data }]) => [name, { data: asFloat(data), dims: shape }]),
  )
}
