/**
 * @file What an architecture is: a configuration, the weights it needs, and one forward pass that serves training, cached
 * generation, packing and encoders. It never names a fine-tuning method or a dtype. A decoder writes, an encoder reads.
 */
import type { z } from 'zod'
import type { Graph } from '../graph/ops/index.ts'
import type { Dim, Value } from '../graph/value.ts'
import type { WeightIndex } from './weights/storage.ts'

export interface WeightSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly kind: 'linear' | 'embedding' | 'norm' | 'bias'
  /** Where a linear layer sits, for spectra and target modules: layer index and `q_proj`, `down_proj`, … */
  readonly layer?: number
  readonly module?: string
  /** Its name in the checkpoint, where that is another: a bare model's files lack the prefix (`transformer.` for GPT-2). */
  readonly stored?: string
  /** The checkpoint stores it as `[in, out]`; it is turned when read and when written. */
  readonly transposed?: boolean
  /** Belongs to the head that names a class: every method trains it, and an adapter carries it whole. */
  readonly head?: true
  /** No checkpoint has it: it begins with the training that needs it. */
  readonly made?: true
}

export interface KeyValue {
  /** `[batch, kvHeads, capacity, headDim]`. */
  readonly keys: Value
  readonly values: Value
}

export type AttentionPlan =
  | { readonly kind: 'causal' }
  /** A token sees every other, or those of its own segment, int32 `[batch, seq]`: padding is a segment of its own. */
  | { readonly kind: 'bidirectional'; readonly segments?: Value }
  /** Several texts a row: a token sees only its own segment, int32 `[batch, seq]`. */
  | { readonly kind: 'packed'; readonly segments: Value }
  /** `last` int32 `[batch]`: index of each row's last valid position; `total` int32 `[1]`: 1 + their maximum. */
  | {
      readonly kind: 'cached'
      readonly past: readonly KeyValue[]
      readonly last: Value
      readonly total: Value
    }
  /**
   * As exported graphs have it: the past's keys and values are `[batch, kvHeads, past, headDim]`, the new ones come behind
   * them; `mask` int32 `[batch, total]` is 1 where a token stands, total = past + seq.
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
  /** int32 `[batch, seq]`: which of two texts a token belongs to; the first where absent. Encoders alone. */
  readonly tokenTypes?: Value
  readonly attention: AttentionPlan
  readonly batch: Dim
  readonly seq: Dim
}

interface ForwardOutput {
  /** After the final norm, `[batch*seq, hidden]`. Heads are separate objects. */
  readonly hiddenStates: Value
  readonly present: readonly KeyValue[]
}

export interface ModelScope {
  readonly g: Graph
  /** Longest sequence that this graph shall see. */
  readonly maxPositions: number
  readonly weight: (name: string) => Value
  /** x `[rows, in]` → `[rows, out]` through layer `name`, adapted if a method has claimed it; no bias is added. */
  readonly product: (name: string, x: Value) => Value
  /** The same; its bias added where there is one. */
  readonly linear: (name: string, x: Value) => Value
  /** ids int32 `[batch, seq]` → `[batch*seq, hidden]`. */
  readonly embedding: (name: string, ids: Value) => Value
  /** Names a hidden state, so that methods and measures can read it. */
  readonly tap: (name: string, x: Value) => Value
}

/** One layer's cache, and the query heads that read it. */
export interface CacheLayer {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
}

/** How weights are declared that the checkpoint lacks: an error, or the head's are made. */
export type Missing = 'refuse' | 'make-head'

interface Classifier<C> {
  /** What transformers calls the model with this head, in `architectures`. */
  readonly className: string
  /** The names of the classes in the order of logits; undefined where the checkpoint has no head. */
  classes(config: C, weights: ReadonlyMap<string, WeightSpec>): readonly string[] | undefined
  /** The weight with a row a class, `[classes, hidden]`. */
  output(config: C): string
  /** Whether a weight of this name is the head's. */
  owns(name: string, config: C): boolean
}

export interface ModelArchitecture<C = unknown> {
  readonly name: string
  /** Decoders attend causally and generate text; encoders attend in both directions and classify it. */
  readonly kind: 'decoder' | 'encoder'
  /** Values of config.json's `model_type` that it reads. */
  readonly modelTypes: readonly string[]
  readonly config: z.ZodType<C>
  /** Every weight it needs, with the shape found in the checkpoint (a pruned model's layers differ); throws by name otherwise. */
  weights(config: C, found: WeightIndex, path: string, missing?: Missing): WeightSpec[]
  forward(scope: ModelScope, input: ForwardInput, config: C): ForwardOutput
  /** hidden `[rows, hidden]` → logits `[rows, vocab]`; of an encoder, of a text's first token → `[rows, classes]`. */
  logits(scope: ModelScope, hidden: Value, config: C): Value
  /** Its heads, per layer, and with them what a cache holds. */
  attention(config: C, weights: ReadonlyMap<string, WeightSpec>): readonly CacheLayer[]
  /** Of an encoder: how it names a class. */
  readonly classifier?: Classifier<C>
  maxPositions(config: C): number
  /**
   * Which rotary frequencies a text of so many tokens is read with, among texts of up to `longest`: a number that grows with
   * them. Keys can be read on with by the same number alone. Absent or undefined: the same for every text.
   */
  stretch?(config: C, longest: number): ((length: number) => number) | undefined
}
