/**
 * @file The peak of memory, before anything is run: what is counted from shapes, times what was measured to be held of it.
 *
 *     process + base + trained + activations, or while answers are written process + base + its packed copies + activations
 *
 * docs/performance/memory.md holds the measured peaks beside these.
 */
import { openAtOnce } from '../../inference/open-graphs.ts'
import type { WeightSpec } from '../../models/architecture.ts'
import { queryBlocks } from '../../models/layers.ts'
import type { Model } from '../../models/registry.ts'
import { BYTES_OF, storageOf, type Precision } from '../../models/weights/small-weights.ts'
import { elementsOf } from '../../models/weights/stored-weights.ts'

const FLOAT = 4
/** Node, ONNX Runtime and their code, with a tokenizer and a graph. */
export const PROCESS_BYTES = 235e6
/** Of each trained number: itself, two moments and its gradient, which is let go where it was computed as soon as it is collected. */
const TRAINED_COPIES = 4
/** Of what goes into and out of a block's linear layers, and of the attention weights: there in the backward pass. */
const HELD_OF_LINEAR = 1.05
const HELD_OF_ATTENTION = 1.2
/** Logits, their softmax and its gradient. */
const HELD_OF_LOGITS = 3
/**
 * A matrix in float32 that is made for one product, beside the one that was made before it. With a forward in int8 gradients
 * still make them, and rounded rows are a quarter of what goes in: the peaks are alike (docs/performance/memory.md).
 */
const WIDENED = 2
/** What an arm writes with and scores texts with, and the base that scores what it wrote: each packs the matrices for its kernel. */
const PACKED_COPIES = 3

/** One writes replies, one scores texts. */
const ASKED_GRAPHS = 2

/** The rows of one micro-batch as they are laid out. */
export interface MicroBatch {
  readonly rows: number
  /** Tokens of its longest row, and labelled tokens of all of them. */
  readonly longest: number
  readonly labelled: number
}

export interface MemoryNeed {
  readonly model: Model
  readonly precision: Precision
  readonly batch: MicroBatch
  /** How many numbers are trained; 0 where nothing is. */
  readonly trained: number
  /** How many of them are the base's own: what is trained of it is not held a second time as it was. */
  readonly ofBase?: number
  /** Into how many pieces of rows a wide head's loss is cut: logits are held of one. */
  readonly pieces?: number
  /** Whether blocks are computed a second time, so that only their inputs are held. */
  readonly checkpointing?: boolean
  /** Whether answers are written and texts scored while the training waits. */
  readonly evaluates: boolean
  /** Whether gradients come back beside those that were computed, as they do without the addon. */
  readonly isCopied?: boolean
  /** Whether weights are read into memory before they are packed, since they do not lie in a file as they are computed with. */
  readonly isRead?: boolean
}

export function peakBytes(need: MemoryNeed): number {
  const { model, precision, trained, ofBase = 0, evaluates, isCopied = false } = need
  const specs = [...model.weights.values()]
  const base = specs.reduce((sum, spec) => sum + keptBytes(spec, precision), 0)
  const wide = specs.filter((spec) => storageOf(spec, precision)).map(({ shape }) => shape)
  const made = WIDENED * FLOAT * Math.max(0, ...wide.map(elementsOf))
  if (trained === 0 && evaluates && wide.length === 0) return asking(need, base)
  const packed = evaluates && wide.length === 0 ? PACKED_COPIES * base : 0
  return (
    PROCESS_BYTES +
    Math.max(0, base - FLOAT * ofBase) +
    Math.max(made, packed) +
    (TRAINED_COPIES + (isCopied ? 1 : 0)) * FLOAT * trained +
    (trained > 0 ? heldBytes(specs, need) : 0)
  )
}

/** Graphs that write and that score, each packed; what was read is copied once more on the way, and the widest matrix beside its packed copy. */
function asking({ model, isRead = false }: MemoryNeed, base: number): number {
  const shapes = [...model.weights.values()].map(({ shape }) => shape)
  const widest = FLOAT * Math.max(0, ...shapes.map(elementsOf))
  const graphs = Math.min(ASKED_GRAPHS, openAtOnce(model))
  return PROCESS_BYTES + (isRead ? 2 * base : 0) + graphs * base + widest
}

const keptBytes = (spec: WeightSpec, precision: Precision): number =>
  elementsOf(spec.shape) * (storageOf(spec, precision) ? BYTES_OF[precision] : FLOAT)

/** What a micro-batch's forward pass leaves for its backward pass. */
function heldBytes(
  specs: readonly WeightSpec[],
  { model: { architecture, config, weights }, batch, checkpointing, pieces = 1 }: MemoryNeed,
): number {
  const { rows, longest, labelled } = batch
  const linear = specs
    .filter(({ kind, layer }) => kind === 'linear' && layer !== undefined)
    .reduce((sum, { shape }) => sum + shape[0]! + shape[1]!, 0)
  const layers = architecture.attention(config, weights)
  const heads = layers.reduce((sum, layer) => sum + layer.heads, 0)
  const vocabulary = Math.max(
    ...specs.map(({ kind, shape }) => (kind === 'embedding' ? shape[0]! : 0)),
  )
  // Of so many blocks of queries each reads the keys up to its own end.
  const queries = architecture.kind === 'decoder' ? queryBlocks(longest) : 1
  const keys = (longest * (queries + 1)) / (2 * queries)
  const ofBlocks = HELD_OF_LINEAR * linear + HELD_OF_ATTENTION * heads * keys
  // Of one block what goes through it, of every block what goes in.
  const blocks = Math.max(1, layers.length)
  const hidden = Math.max(...specs.map(({ kind, shape }) => (kind === 'embedding' ? shape[1]! : 0)))
  const perToken = checkpointing
    ? blocks * hidden + ofBlocks / blocks
    : ofBlocks - lightNumbers(specs, layers.length)
  const logits = (HELD_OF_LOGITS * labelled * vocabulary) / pieces
  return FLOAT * (rows * longest * perToken + logits)
}

/**
 * Of what goes through the linear layers, what a gradient's rule makes again instead of holding it (`isLight`): what goes into
 * an MLP's last matrix, twice its width where a gate is multiplied in.
 */
function lightNumbers(specs: readonly WeightSpec[], layers: number): number {
  const ofLayer = (layer: number) => {
    const own = specs.filter((spec) => spec.kind === 'linear' && spec.layer === layer)
    const width = Math.max(0, ...own.map(({ shape }) => shape[1]!))
    const into = own.filter(({ shape }) => shape[0]! >= width)
    return Math.min(
      2 * width,
      into.reduce((sum, { shape }) => sum + shape[0]!, 0),
    )
  }
  return Array.from({ length: layers }, (_, layer) => ofLayer(layer)).reduce((a, b) => a + b, 0)
}
