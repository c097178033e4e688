/** @file The graph of a model's loss over labelled rows, and its inputs. */
import { gradients } from '../../graph/gradient.ts'
import type { Graph } from '../../graph/ops/index.ts'
import { pieceOf } from '../../graph/shape.ts'
import type { Value } from '../../graph/value.ts'
import { evenBlocks } from '../../models/layers.ts'
import { statesAt } from '../../models/pooling.ts'
import { isEncoder, type Model } from '../../models/registry.ts'
import { createScope, type ScopeOptions } from '../../models/scope.ts'
import type { Feeds, Tensor } from '../../runtime/tensor.ts'
import type { Batch, LossInputs } from '../method.ts'

/** Prefix of inputs that hold the base’s own weights, beside those that a method may have changed. */
export const REFERENCE = 'reference:'

interface LossGraph extends Omit<LossInputs, 'outputs'> {
  readonly logits: Value
}

/** Logits `[labelled, vocab]` (or classes), labels int32 `[labelled]`, and −Σ weight·log p(label) `[]`. */
export function buildLoss(g: Graph, model: Model, options: ScopeOptions): LossGraph {
  const { fed, labels, rowWeights } = declared(g, model, options)
  const scope = createScope(g, model.weights, options)
  const { architecture, config } = model
  const hidden = labelledStates(scope, model, fed)
  const logits = architecture.logits(scope, hidden, config)
  const targets = (width: number) => g.input('targets', g.float, [labels.shape[0]!, width])
  const io = { hidden, outputs: logits, labels, rowWeights, targets }
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
    taskLoss:
      architecture.objective?.loss(scope, io, config) ?? g.crossEntropy(logits, labels, rowWeights),
    shares: scope.shares(),
    kinds: () => g.input('kinds', 'int32', ['batch', 'seq']),
    places: () => g.input('places', 'int32', ['labelled']),
    reference: () => logitsOf(createScope(named, model.weights, asBase), model, fed),
  }
}

interface LossInPieces {
  readonly taskLoss: Value
  /** Hidden states `[labelled, hidden]`, and the loss's gradient with respect to them. */
  readonly known: readonly [Value, Value]
}

/**
 * The same loss through a frozen head, in `count` pieces of the rows one after another. Each piece computes its gradient at once,
 * so logits, softmax and their gradient exist for one piece at a time.
 */
export function buildLossInPieces(
  g: Graph,
  model: Model,
  options: ScopeOptions,
  count: number,
): LossInPieces {
  const { fed, labels, rowWeights } = declared(g, model, options)
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

/** A graph that reuses declared weights; a compressed weight is expanded once for all pieces, after `first` is computed. */
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

function declared(g: Graph, model: Model, { maxPositions, oneText = false }: ScopeOptions) {
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const segments = g.input('segments', 'int32', ['batch', 'seq'])
  const { states } = model.architecture
  const count = states === 'rows' || (states === 'first' && oneText) ? 'batch' : 'labelled'
  const rows = g.input('rows', 'int32', [count])
  const labels = g.input('labels', 'int32', [count])
  const rowWeights = g.input('row_weights', g.float, [count])
  const both = { kind: 'bidirectional', segments, blocks: evenBlocks(maxPositions) } as const
  const attention = isEncoder(model) ? both : ({ kind: 'packed', segments } as const)
  const fed = { tokens, positions, attention, rows, oneText } as const
  return { fed, labels, rowWeights }
}

type Fed = ReturnType<typeof declared>['fed']
type Scope = ReturnType<typeof createScope>

const logitsOf = (scope: Scope, model: Model, fed: Fed): Value =>
  model.architecture.logits(scope, labelledStates(scope, model, fed), model.config)

/** Hidden states of the rows that the head reads: those with a labelled next token, or first tokens for classes. */
function labelledStates(scope: Scope, model: Model, { rows, oneText, ...fed }: Fed): Value {
  return statesAt(scope, model, { ...fed, batch: 'batch', seq: 'seq' }, { rows, oneText })
}

type AsFloat = (data: Float32Array) => Float32Array | Float64Array

/** @param least labelled rows; if there are fewer, rows of weight 0 are added, which change neither loss nor gradients */
export function batchFeeds(
  { tokens, positions, segments, kinds, targets, batch, seq, ...labelled }: Batch,
  asFloat: AsFloat,
  least = 0,
): Feeds {
  const length = Math.max(least, labelled.rows.length)
  const [rows, labels] = [filledUp(labelled.rows, length), filledUp(labelled.labels, length)]
  const weights = new Float32Array(length)
  weights.set(labelled.weights)
  const places = labelled.places && filledUp(labelled.places, length)
  return {
    tokens: { data: tokens, dims: [batch, seq] },
    positions: { data: positions, dims: [batch, seq] },
    segments: { data: segments, dims: [batch, seq] },
    ...(kinds && { kinds: { data: kinds, dims: [batch, seq] } }),
    rows: { data: rows, dims: [rows.length] },
    labels: { data: labels, dims: [labels.length] },
    ...(places && { places: { data: places, dims: [length] } }),
    row_weights: { data: asFloat(weights), dims: [weights.length] },
    ...(targets && {
      targets: { data: asFloat(targets), dims: [length, targets.length / length] },
    }),
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
