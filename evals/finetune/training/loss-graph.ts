/** @file A model's loss over labelled rows in a graph, and what that graph is fed. */
import { gradients } from '../../graph/gradient.ts'
import type { Graph } from '../../graph/ops/index.ts'
import { pieceOf } from '../../graph/shape.ts'
import type { Value } from '../../graph/value.ts'
import type { ModelScope } from '../../models/architecture.ts'
import { isEncoder, type Model } from '../../models/registry.ts'
import { createScope, type ScopeOptions } from '../../models/scope.ts'
import type { Feeds, Tensor } from '../../runtime/tensor.ts'
import type { Batch, LossInputs } from '../method.ts'

/** A weight of the base as it was, beside the weight that is run, which a method may have moved. */
export const REFERENCE = 'reference:'

interface LossGraph extends Omit<LossInputs, 'outputs'> {
  readonly logits: Value
}

/** Logits `[labelled, vocab]` (or classes), labels int32 `[labelled]`, and −Σ weight·log p(label) `[]`. */
export function buildLoss(g: Graph, model: Model, options: ScopeOptions): LossGraph {
  const { fed, labels, rowWeights } = declared(g, model)
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

interface LossInPieces {
  readonly taskLoss: Value
  /** Hidden states `[labelled, hidden]`, and the loss's gradient with respect to them. */
  readonly known: readonly [Value, Value]
}

/**
 * The same loss through a head that is not trained, `count` pieces of the rows one after another, each with its gradient at
 * once: logits, powers and their gradient are there of one piece alone.
 */
export function buildLossInPieces(
  g: Graph,
  model: Model,
  options: ScopeOptions,
  count: number,
): LossInPieces {
  const { fed, labels, rowWeights } = declared(g, model)
  const { architecture, config, weights } = model
  const hidden = labelledStates(createScope(g, weights, options), model, fed)
  const { maxPositions, storage } = options
  const asBase = { maxPositions, ...(storage && { storage }) }
  const head = createScope(sharing(g, hidden), weights, asBase)
  const rows = hidden.shape[0]!
  let taskLoss: Value | undefined
  let gradient: Value | undefined
  for (let i = 0; i < count; i++) {
    const piece = (x: Value) => g.piece(x, 0, [i, i + 1], count)
    const states = gradient ? g.after(piece(hidden), g.moment([gradient])) : piece(hidden)
    const logits = architecture.logits(head, states, config)
    const loss = g.crossEntropy(logits, piece(labels), piece(rowWeights))
    const [own] = gradients(g, loss, [states])
    taskLoss = taskLoss ? g.add(taskLoss, loss) : loss
    const total = pieceOf(rows, 0, i + 1, count)
    gradient = gradient ? g.append(gradient, own!, 0, total) : own!
  }
  return { taskLoss: taskLoss!, known: [hidden, gradient!] }
}

/** Weights that are declared already; one that is kept smaller is made once for all pieces, as soon as `first` is there. */
function sharing(g: Graph, first: Value): Graph {
  const isThere = (name: string) => g.inputs.some((input) => input.name === name)
  return {
    ...g,
    input: (name, dtype, shape) =>
      isThere(name) ? { name, dtype, shape } : g.input(name, dtype, shape),
    stored(name, shape, storage) {
      const kept = isThere(name) ? { name, dtype: g.float, shape } : g.stored(name, shape, storage)
      return g.after(kept, g.moment([first]))
    },
  }
}

function declared(g: Graph, model: Model) {
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const segments = g.input('segments', 'int32', ['batch', 'seq'])
  const rows = g.input('rows', 'int32', ['labelled'])
  const labels = g.input('labels', 'int32', ['labelled'])
  const rowWeights = g.input('row_weights', g.float, ['labelled'])
  const kind = isEncoder(model) ? 'bidirectional' : 'packed'
  const fed = { tokens, positions, attention: { kind, segments }, rows } as const
  return { fed, labels, rowWeights }
}

type Fed = ReturnType<typeof declared>['fed']

const logitsOf = (scope: ModelScope, model: Model, fed: Fed): Value =>
  model.architecture.logits(scope, labelledStates(scope, model, fed), model.config)

/** A head over a vocabulary is wide: it sees only the rows whose next token is labelled. One over classes sees first tokens. */
function labelledStates(
  scope: ModelScope,
  { architecture, config }: Model,
  { rows, ...fed }: Fed,
): Value {
  const input = { ...fed, batch: 'batch', seq: 'seq' }
  return scope.g.gatherRows(architecture.forward(scope, input, config).hiddenStates, rows)
}

type AsFloat = (data: Float32Array) => Float32Array | Float64Array

/** @param least labelled rows; where there are fewer, rows of no weight stand in, which change neither loss nor gradients */
export function batchFeeds(
  { tokens, positions, segments, batch, seq, ...labelled }: Batch,
  asFloat: AsFloat,
  least = 0,
): Feeds {
  const length = Math.max(least, labelled.rows.length)
  const [rows, labels] = [filledUp(labelled.rows, length), filledUp(labelled.labels, length)]
  const weights = new Float32Array(length)
  weights.set(labelled.weights)
  return {
    tokens: { data: tokens, dims: [batch, seq] },
    positions: { data: positions, dims: [batch, seq] },
    segments: { data: segments, dims: [batch, seq] },
    rows: { data: rows, dims: [rows.length] },
    labels: { data: labels, dims: [labels.length] },
    row_weights: { data: asFloat(weights), dims: [weights.length] },
  }
}

function filledUp(numbers: Int32Array, length: number): Int32Array {
  const filled = new Int32Array(length)
  filled.set(numbers)
  return filled
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
