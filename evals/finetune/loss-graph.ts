/** @file A model's loss over labelled rows in a graph, and what that graph is fed. */
import type { Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import type { Model } from '../models/registry.ts'
import { createScope, type ScopeOptions } from '../models/scope.ts'
import type { Feeds, Tensor } from '../runtime/session.ts'
import type { Batch } from './method.ts'

/** Logits `[labelled, vocab]`, labels int32 `[labelled]`, and −Σ weight·log p(label) `[]`. */
export function buildLoss(
  g: Graph,
  { architecture, config, weights }: Model,
  options: ScopeOptions,
): { logits: Value; labels: Value; taskLoss: Value } {
  const scope = createScope(g, weights, options)
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const rows = g.input('rows', 'int32', ['labelled'])
  const labels = g.input('labels', 'int32', ['labelled'])
  const rowWeights = g.input('row_weights', g.float, ['labelled'])
  const input = {
    tokens,
    positions,
    attention: { kind: 'causal' },
    batch: 'batch',
    seq: 'seq',
  } as const
  const { hiddenStates } = architecture.forward(scope, input, config)
  // The head is wide: it sees only the rows whose next token is labelled.
  const logits = architecture.logits(scope, g.gatherRows(hiddenStates, rows), config)
  return { logits, labels, taskLoss: g.crossEntropy(logits, labels, rowWeights) }
}

type AsFloat = (data: Float32Array) => Float32Array | Float64Array

export function batchFeeds(
  { tokens, batch, seq, rows, labels, weights }: Batch,
  asFloat: AsFloat,
): Feeds {
  const positions = Int32Array.from({ length: batch * seq }, (_, i) => i % seq)
  return {
    tokens: { data: tokens, dims: [batch, seq] },
    positions: { data: positions, dims: [batch, seq] },
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
