/**
 * @file Estimated peak memory: sizes from shapes, times measured factors of how much of each is in memory.
 *
 *     training: process + base + trained + activations     evaluation: process + trained + packed copy + rows of logits
 *
 * Of a small model both at a time, of a large one the larger of the two.
 *
 * docs/performance/memory.md compares the estimates with measured peaks.
 */
import { ROOM_BYTES, SCORED_ROWS } from '../../inference/room.ts'
import type { WeightSpec } from '../../models/architecture.ts'
import { queryBlocks } from '../../models/layers.ts'
import type { Model } from '../../models/registry.ts'
import { isBlockName } from '../../graph/storage/blocks.ts'
import type { SmallStorage } from '../../graph/storage/stored.ts'
import { bytesOf, storageOf, type Precision } from '../../models/weights/small-weights.ts'
import { elementsOf, elementsOfAll } from '../../models/weights/stored-weights.ts'
import { percent } from '../../contract/words.ts'
import type { Asking } from './asking-memory.ts'

const FLOAT = 4
/** Node, ONNX Runtime and their code, with a tokenizer and a graph. */
export const PROCESS_BYTES = 250e6
/** Copies of each trained number: itself, two moments, and its gradient. */
const TRAINED_COPIES = 4
/** Share of the inputs and outputs of a block's linear layers, and of its attention weights, that the backward pass holds. */
const HELD_OF_LINEAR = 1.05
const HELD_OF_ATTENTION = 1.2
/** Logits, their softmax and its gradient. */
const HELD_OF_LOGITS = 3
/**
 * Bytes a number that reading a stored matrix takes at a time, measured: of float16 and int8 their float32 copy, of NF4 the codes
 * looked up beside their product with the scales (docs/performance/memory.md).
 */
const READING = { float16: 4, int8: 4, nf4: 8 } as const
/** Blocks are read where they lie, and as a whole only for a gradient. */
const READING_BLOCKS = 4
/** Rows of logits while texts are scored: themselves, their softmax, and what answers take beside them. */
const HELD_OF_SCORES = 3
/** The same over a base that is kept small, measured in blocks. */
const HELD_OF_SCORES_SMALL = 1

const NO_ASKING: Asking = { cacheBytes: 0, workBytes: 0, scored: 0 }

/** Size of one micro-batch. */
export interface MicroBatch {
  readonly rows: number
  /** Tokens of the longest row, and labelled tokens of all rows. */
  readonly longest: number
  readonly labelled: number
}

export interface MemoryNeed {
  readonly model: Model
  readonly precision: Precision
  readonly batch: MicroBatch
  /** Number of trained parameters; 0 if nothing is trained. */
  readonly trained: number
  /** How many of them are weights of the base; these are not held a second time. */
  readonly ofBase?: number
  /** Pieces of rows in which the loss of a wide head is computed; logits are held for one piece. */
  readonly pieces?: number
  /** Whether blocks are recomputed in the backward pass, so that only their inputs are held. */
  readonly checkpointing?: boolean
  readonly evaluates: boolean
  /** What asking takes beside the model; nothing if absent. */
  readonly asking?: Asking | undefined
  /** Whether it is asked before its last step too, while its training is open. */
  readonly asksOnTheWay?: boolean
  /** Whether a second graph is open beside its training all the time. */
  readonly isWatched?: boolean
  /** Whether an adapter becomes part of the weights before a state is asked, which are then in memory beside the base. */
  readonly isMerged?: boolean
  /** Whether there are states, of remedies or candidates, each of which is a whole model in float32 beside the base. */
  readonly isMended?: boolean
  /** Whether these are made by remedies alone: of a large base that is mapped from a file nothing stands in memory then, as measured. */
  readonly isBaseFreed?: boolean
  /** Whether gradients are copied, as they are without the addon. */
  readonly isCopied?: boolean
  /** Whether weights must be read and converted before they are packed, rather than mapped from a file. */
  readonly isRead?: boolean
}

export function peakBytes(need: MemoryNeed): number {
  const { model, precision, trained, ofBase = 0, evaluates, isCopied = false } = need
  const { asksOnTheWay = true } = need
  const isMended = evaluates && need.isMended === true
  const specs = [...model.weights.values()]
  const base = specs.reduce((sum, spec) => sum + keptBytes(spec, precision), 0)
  const wide = specs.flatMap((spec) => {
    const storage = storageOf(spec, precision)
    return storage ? readingBytes(storage, trained > 0) * elementsOf(spec.shape) : []
  })
  const made = Math.max(0, ...wide)
  const held = trained > 0 ? heldBytes(specs, need) : 0
  const asked = !evaluates
    ? 0
    : wide.length === 0
      ? askedState(need, specs)
      : made + askedSmall(need, specs)
  const kept = Math.max(0, base - FLOAT * ofBase)
  // A base that is asked alone is packed, and stands in memory no second time.
  const own = trained === 0 && evaluates && wide.length === 0 ? 0 : kept
  const isLarge = wide.length === 0 && makesRoom(model)
  const isBeside = isLarge ? need.isWatched === true : asksOnTheWay
  const training = isBeside ? Math.max(made, asked) + held : Math.max(made + held, asked)
  // Of a large base training frees what it is fed, too.
  const most = isLarge && !isBeside ? Math.max(own + held, asked) : own + training
  const isFreed = isLarge && need.isBaseFreed === true && need.isRead !== true
  return (
    PROCESS_BYTES +
    // Remedies begin when no training is open.
    Math.max(most, isMended ? (isFreed ? 0 : own) + mendedState(need, specs) : 0) +
    (TRAINED_COPIES + (isCopied ? 1 : 0)) * FLOAT * trained
  )
}

/**
 * What a state takes when it is asked: its packed copy, the base's that scores its replies where both stay open, weights that were
 * made for it, and rows of logits.
 */
function askedState(need: MemoryNeed, specs: readonly WeightSpec[]): number {
  const { model, precision, trained, isMerged, isRead = false } = need
  const whole = FLOAT * elementsOfAll(specs)
  const widest = FLOAT * Math.max(0, ...specs.map(({ shape }) => elementsOf(shape)))
  // A base that is kept small is not packed.
  const copies = precision === 'fp32' && trained > 0 && !makesRoom(model) ? 2 : 1
  const read = isRead ? 2 * whole : 0
  const logits = FLOAT * HELD_OF_SCORES * SCORED_ROWS * vocabularyOf(specs)
  // From a file they are packed, and stand in memory no second time.
  const isInMemory = isMerged && (isRead || !makesRoom(model))
  const adapted = specs.filter(({ module }) => module !== undefined)
  const merged = isInMemory ? FLOAT * elementsOfAll(adapted) : 0
  return copies * whole + widest + read + besides(need.asking ?? NO_ASKING, logits) + merged
}

/** Beside a base that is kept small and not packed. */
const askedSmall = ({ asking = NO_ASKING }: MemoryNeed, specs: readonly WeightSpec[]): number =>
  besides(asking, FLOAT * HELD_OF_SCORES_SMALL * asking.scored * vocabularyOf(specs))

/** Keys and values, and the larger of what reading prompts and rows of logits take. */
const besides = ({ cacheBytes, workBytes }: Asking, logits: number): number =>
  cacheBytes + Math.max(workBytes, logits)

/** The same of a state of which every weight is made, also where the base is kept small. */
const mendedState = (need: MemoryNeed, specs: readonly WeightSpec[]): number =>
  askedState({ ...need, isMerged: false }, specs) + FLOAT * elementsOfAll(specs)

const makesRoom = ({ weights }: Model): boolean =>
  FLOAT * elementsOfAll(weights.values()) >= ROOM_BYTES

const vocabularyOf = (specs: readonly WeightSpec[]): number =>
  Math.max(0, ...specs.map(({ kind, shape }) => (kind === 'embedding' ? shape[0]! : 0)))

function readingBytes(storage: SmallStorage, isTrained: boolean): number {
  if (!isBlockName(storage)) return READING[storage]
  return isTrained ? READING_BLOCKS : 0
}

const keptBytes = (spec: WeightSpec, precision: Precision): number => {
  const storage = storageOf(spec, precision)
  return elementsOf(spec.shape) * (storage ? bytesOf(storage) : FLOAT)
}

/** What a base that is kept small takes of its float32 size; undefined for one that is not. */
export function keptText({ weights }: Pick<Model, 'weights'>, precision: Precision) {
  if (precision === 'fp32') return undefined
  const shareOf = (specs: readonly WeightSpec[]) => {
    const bytes = specs.reduce((sum, spec) => sum + keptBytes(spec, precision), 0)
    return percent(bytes / (FLOAT * elementsOfAll(specs)))
  }
  const all = [...weights.values()]
  const layers = all.filter((spec) => spec.module !== undefined && storageOf(spec, precision))
  return `Base in ${precision}: the matrices of its blocks take ${shareOf(layers)} of their float32 size, the whole model ${shareOf(all)}.`
}

/** Bytes that the forward pass of a micro-batch holds for the backward pass. */
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
  const vocabulary = vocabularyOf(specs)
  // Each block of queries reads the keys up to its own end.
  const queries = architecture.kind === 'decoder' ? queryBlocks(longest) : 1
  const keys = (longest * (queries + 1)) / (2 * queries)
  const ofBlocks = HELD_OF_LINEAR * linear + HELD_OF_ATTENTION * heads * keys
  // Activations of one block, and the input of every block.
  const blocks = Math.max(1, layers.length)
  const hidden = Math.max(...specs.map(({ kind, shape }) => (kind === 'embedding' ? shape[1]! : 0)))
  const perToken = checkpointing
    ? blocks * hidden + ofBlocks / blocks
    : ofBlocks - lightNumbers(specs, layers.length)
  const logits = (HELD_OF_LOGITS * labelled * vocabulary) / pieces
  return FLOAT * (rows * longest * perToken + logits)
}

/**
 * Activations that the backward pass recomputes instead of holding (`isLight`): the input of an MLP's last matrix, twice its
 * width if there is a gate.
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
