/**
 * @file The interface of an architecture: a configuration, the weights it needs, and one forward pass for training, cached
 * generation, packing and encoders. It knows no fine-tuning method and no dtype.
 */
import type { z } from 'zod'
import type { Graph } from '../graph/ops/index.ts'
import type { SmallCache } from '../graph/ops/small-cache.ts'
import type { BlockName } from '../graph/storage/blocks.ts'
import type { Dim, Value } from '../graph/value.ts'
import type { ThoughtMarkers } from './text/thoughts.ts'
import type { WeightIndex } from './weights/storage.ts'

export interface WeightSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly kind: 'linear' | 'embedding' | 'norm' | 'bias'
  /** Place of a linear layer, for spectra and target modules: layer index, and `q_proj`, `down_proj`, … */
  readonly layer?: number
  readonly module?: string
  /** Name in the checkpoint if it differs: a bare model's files lack the prefix (`transformer.` for GPT-2). */
  readonly stored?: string
  /** Stored as `[in, out]`: transposed on reading and on writing. */
  readonly transposed?: boolean
  /** Belongs to the classification head: every method trains it, and an adapter stores it whole. */
  readonly head?: true
  /** In ggml's blocks in the checkpoint, along the rows of this shape. */
  readonly blocks?: BlockName
  /** Absent from the checkpoint: initialised by the training that needs it. */
  readonly made?: true
}

export interface KeyValue {
  /** `[batch, kvHeads, capacity, headDim]`. */
  readonly keys: Value
  readonly values: Value
  /** Of keys and values in int8, `[batch, kvHeads, capacity, 1]`. */
  readonly scales?: { readonly keys: Value; readonly values: Value } | undefined
}

/** Where a mixture of experts keeps its matrices, `<block>.experts.<e>.<gate, up or down>.weight`. */
export interface Experts {
  readonly count: number
  /** Inside a layer; transformers 5 calls it `mlp`. */
  readonly block: string
  readonly gate: string
  readonly up: string
  readonly down: string
}

export type AttentionPlan =
  | { readonly kind: 'causal' }
  /**
   * A token attends to every token, or to those of its own segment, int32 `[batch, seq]`. Padding has a segment of its own.
   * Queries are read in `blocks`, of which rows have as many tokens at least; in one if absent.
   */
  | { readonly kind: 'bidirectional'; readonly segments?: Value; readonly blocks?: number }
  /** Several texts per row: a token attends only to its own segment, int32 `[batch, seq]`. */
  | { readonly kind: 'packed'; readonly segments: Value }
  /** `last` int32 `[batch]`: index of each row's last valid position; `total` int32 `[1]`: 1 + their maximum. */
  | {
      readonly kind: 'cached'
      readonly past: readonly KeyValue[]
      readonly last: Value
      readonly total: Value
    }
  /**
   * As `cached`, with each layer's past in cells (graph/ops/serving.ts); `cells` int32 `[batch, capacity]`, `from` and `count` int32
   * `[batch]`: tokens in the cache, and new ones.
   */
  | {
      readonly kind: 'paged'
      readonly past: readonly KeyValue[]
      readonly cells: Value
      readonly from: Value
      readonly count: Value
      readonly last: Value
    }
  /**
   * As in exported graphs: past keys and values are `[batch, kvHeads, past, headDim]`, new ones are appended; `mask` int32
   * `[batch, total]` is 1 at tokens and 0 at padding, with total = past + seq.
   */
  | {
      readonly kind: 'appended'
      readonly past: readonly KeyValue[]
      readonly mask: Value
    }

export interface ForwardInput {
  /** int32 `[batch, seq]`; or `embeddings` `[batch*seq, hidden]` instead. */
  readonly tokens?: Value
  readonly embeddings?: Value
  /** int32 `[batch, seq]`. */
  readonly positions: Value
  /** int32 `[batch, seq]`: index of the text (of a pair) that a token belongs to; 0 if absent. Encoders only. */
  readonly tokenTypes?: Value
  readonly attention: AttentionPlan
  /**
   * int32 `[asked]`: the tokens whose states are asked, counted over `[batch*seq]`; others pass the last layer only for their keys
   * and values. Of encoders with `states: 'first'`, and there one a row.
   */
  readonly asked?: Value
  readonly batch: Dim
  readonly seq: Dim
}

export interface ForwardOutput {
  /** After the final norm, `[batch*seq, hidden]`, or `[asked, hidden]`. Heads are separate objects. */
  readonly hiddenStates: Value
  readonly present: readonly KeyValue[]
}

export interface ModelScope {
  readonly g: Graph
  /** Longest sequence that the graph must support. */
  readonly maxPositions: number
  readonly weight: (name: string) => Value
  /** x `[rows, in]` → `[rows, out]` through layer `name`, with its adapter if one is attached; without the bias. */
  readonly product: (name: string, x: Value) => Value
  /** `product` plus the bias, if the layer has one. */
  readonly linear: (name: string, x: Value) => Value
  /** ids int32 `[batch, seq]` → `[batch*seq, hidden]`. */
  readonly embedding: (name: string, ids: Value) => Value
  /** Registers a hidden state under a name, for methods and measurements. */
  readonly tap: (name: string, x: Value) => Value
}

/** Head counts of one layer, which give the shape of its cache. */
export interface CacheLayer {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  /** How keys and values are kept; in float32 if absent. */
  readonly kept?: SmallCache
}

/** What happens to weights that the checkpoint lacks: an error, or the classification head is initialised, or every weight. */
export type Missing = 'refuse' | 'make-head' | 'make'

interface Classifier<C> {
  /** The transformers class with this head, as in `architectures`. */
  readonly className: string
  /** Class names in the order of the logits; undefined if the checkpoint has no head. */
  classes(config: C, weights: ReadonlyMap<string, WeightSpec>): readonly string[] | undefined
  /** Name of the output weight, `[classes, hidden]`. */
  output(config: C): string
  /** Whether the head owns a weight of this name. */
  owns(name: string, config: C): boolean
}

interface ObjectiveInputs {
  /** The first position's state of each row, `[rows, hidden]`, and what `logits` makes of it. */
  readonly hidden: Value
  readonly outputs: Value
  /** Class of each row, int32 `[rows]`; 0 where rows have targets. */
  readonly labels: Value
  /** Weight of each row, `[rows]`: 1 / number of rows of the optimiser step. */
  readonly rowWeights: Value
  /** Target of each row, `[rows, width]`. */
  readonly targets: (width: number) => Value
}

/** What an encoder learns in place of the cross-entropy of its classes. */
interface Objective<C> {
  /** Numbers of a row's target, where rows have one in place of a class: the network then names no classes. */
  targets?(config: C): number
  /** Σ weight·loss of a row, `[]`; contrastive losses compare the rows of a micro-batch. */
  loss(scope: ModelScope, io: ObjectiveInputs, config: C): Value
}

export interface ModelArchitecture<C = unknown> {
  readonly name: string
  /** Decoders attend causally and generate text; encoders attend in both directions and classify it. */
  readonly kind: 'decoder' | 'encoder'
  /**
   * Of encoders. `rows`: a row is read as a whole and has one state. `first`: the head reads the first token, so the last block is
   * computed for it alone where nothing else is asked. By default each token has a state.
   */
  readonly states?: 'rows' | 'first' | undefined
  /** Supported values of config.json's `model_type`. */
  readonly modelTypes: readonly string[]
  readonly config: z.ZodType<C>
  /** Around a thought before the answer, where the family writes other markers than its templates show. */
  readonly thoughtMarkers?: ThoughtMarkers
  /**
   * Every weight it needs, with the shape found in the checkpoint (a pruned model's layers differ). Throws if one is
   * missing or does not fit.
   */
  weights(config: C, found: WeightIndex, path: string, missing?: Missing): WeightSpec[]
  forward(scope: ModelScope, input: ForwardInput, config: C): ForwardOutput
  /** Decoders: hidden `[rows, hidden]` → logits `[rows, vocab]`. Encoders: the first token's state → `[rows, classes]`. */
  logits(scope: ModelScope, hidden: Value, config: C): Value
  /** Head counts per layer, which give the shape of the cache. */
  attention(config: C, weights: ReadonlyMap<string, WeightSpec>): readonly CacheLayer[]
  /** Names of the embedding and of the head that it stands for; undefined where they are two weights. */
  tie?(config: C): { readonly embedding: string; readonly head: string } | undefined
  experts?(config: C): Experts | undefined
  /** Encoders only. */
  readonly classifier?: Classifier<C>
  /** Encoders only; cross-entropy if absent. */
  readonly objective?: Objective<C>
  maxPositions(config: C): number
  /**
   * Index of the set of rotary frequencies for a text of a given length, among texts of up to `longest` tokens; it grows
   * with the length. Cached keys stay valid only while the index is the same. Undefined if frequencies do not depend on
   * length.
   */
  stretch?(config: C, longest: number): ((length: number) => number) | undefined
}
