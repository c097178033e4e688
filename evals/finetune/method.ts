/**
 * @file What a fine-tuning method is. An architecture never names a method; a method never names an architecture.
 * One file a method, one line in the registry.
 */
import type { z } from 'zod'
import type { Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import type { Adapter, LinearSite } from '../models/scope.ts'
import type { PeftFolder } from '../models/formats/peft-folder.ts'
import type { ParameterTable } from './training/parameters.ts'

export type { Adapter, LinearSite }

/** One micro-batch as the training graph reads it (see train-graph.ts). */
export interface Batch {
  /** int32 `[batch, seq]`, padded at the end. */
  readonly tokens: Int32Array
  /** int32 `[batch, seq]`: a token's place in its own text, and which text of its lane that is; padding is of none, −1. */
  readonly positions: Int32Array
  readonly segments: Int32Array
  readonly batch: number
  readonly seq: number
  /**
   * Flat indices into batch·seq of the positions whose next token is labelled, and those tokens, int32 `[n]`; of texts with
   * a class, each text's first position and its class.
   */
  readonly rows: Int32Array
  readonly labels: Int32Array
  /** What each label counts, `[n]`: 1 / the number of labels in the whole batch. */
  readonly weights: Float32Array
}

/** A linear layer that a method may adapt, without a graph. */
export interface Site {
  /** `model.layers.0.self_attn.q_proj`; its weight is `<name>.weight`, `[out, in]`. */
  readonly name: string
  readonly module: string
  readonly layer: number
  readonly inFeatures: number
  readonly outFeatures: number
}

/** What a method may ask before training: the base as it is, and what its own weights would learn. */
export interface Probe {
  readonly seed: number
  readonly sites: readonly Site[]
  /** float32, as the checkpoint has it. */
  weight(name: string): Float32Array
  /**
   * The mean over `batches` micro-batches of ∂L/∂W of the base, adapter off, by name. The rows are those that training
   * sees first; each micro-batch counts the same.
   */
  gradients(
    names: readonly string[],
    options: { batches: number; batchSize: number },
  ): Promise<ReadonlyMap<string, Float32Array>>
}

/** Where training starts. It follows from (base, data, seed) alone and is computed again on a resume. */
export interface Prepared {
  /** Beginning values of adapter parameters, by name; the others begin as their initialiser says. */
  readonly parameters?: ReadonlyMap<string, Float32Array>
  /** Weights of the base that are moved at the start, by name: training and evaluation run on them. */
  readonly weights?: ReadonlyMap<string, Float32Array>
}

/** What the hooks of a step see; they may write to none of it. */
export interface StepState {
  readonly parameters: Float32Array
  /** The optimiser's first moment, in the parameters' order. */
  readonly firstMoment: Float32Array
  /** Finished steps. */
  readonly step: number
  readonly microBatch: number
  readonly seed: number
  /** What the method remembers between steps; saved with the training state. */
  readonly memory: Float32Array
  readonly layout: Layout
}

/** How the flat vector is laid out, and what it stands on. */
export interface Layout {
  readonly table: ParameterTable
  readonly sites: readonly Site[]
  /** A weight of the base as the session runs it: moved, where `prepare` moved it. */
  weight(name: string): Float32Array
}

/** What one gradient is taken at instead of the parameters and weights as they are. */
export interface Perturbation {
  readonly parameters?: Float32Array
  /** Frozen weights, and inputs that the method's own adapters declared for training, by name. */
  readonly inputs?: ReadonlyMap<string, Float32Array>
}

/** What a method's own loss is made of. */
export interface LossInputs {
  /** Logits `[labelled, vocab]` (or classes), what should be named there, int32 `[labelled]`, and what each row counts. */
  readonly outputs: Value
  readonly labels: Value
  readonly rowWeights: Value
  /** −Σ weight·log p(label), `[]`: what training reports, whatever is added to it. */
  readonly taskLoss: Value
  /** The base's own logits on the same rows. Who asks pays a forward of the base in every step. */
  readonly reference: () => Value
}

/** In training an adapter may have inputs that `perturb` feeds (zeros until it does); in evaluation it has none. */
type Mode = 'train' | 'evaluate'

export interface Observed {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** @typeParam C the configuration */
export interface FineTuneMethod<C = unknown> {
  readonly name: string
  readonly title: string
  readonly paper: string
  /** How near the paper this is; shown wherever the method is named. */
  readonly faithfulness: 'exact' | 'simplified' | 'variant'
  /** About this method: what is uncertain or disputed, and what was chosen. */
  readonly notes?: readonly string[]
  readonly config: z.ZodType<C>
  /** Whether the adapter can become part of the weights. */
  readonly mergeable: boolean
  /** Whether the model answers as its base does before the first step. */
  readonly identityAtStart: boolean
  /**
   * Layers that it may adapt, by module name; `undefined` leaves a layer as it is. A parameter of learning-rate factor 0 is
   * fixed: it is stored with the others, and no gradient of it is taken.
   */
  attach?(g: Graph, site: LinearSite, config: C, mode?: Mode): Adapter | undefined
  /** Which of the base's own weights it trains. */
  trainable?(weight: string, config: C): { learningRateScale: number } | undefined
  prepare?(session: Probe, config: C): Promise<Prepared>
  /** What is descended in place of the task's loss. */
  loss?(g: Graph, io: LossInputs, config: C): Value
  /**
   * What the loss is fed that no operator computes, from outputs·outputsᵀ `[count, count]` where the gradient is about to be
   * taken: tensors by the name under which `loss` declared them. Costs one more forward in every step.
   */
  observe?: {
    wants(config: C): boolean
    look(gram: Float64Array, count: number, config: C): ReadonlyMap<string, Observed>
  }
  /** How many numbers it remembers between steps. They begin at 0. */
  memory?(layout: Layout, config: C): number
  /** Where the next micro-batch's gradient is taken. The parameters themselves stay as they are. */
  perturb?(state: StepState, config: C): Perturbation | undefined
  /** Changes what the optimiser is given, and what is remembered. Pure. */
  step?(
    state: StepState & { readonly gradient: Float32Array },
    config: C,
  ): { readonly gradient: Float32Array; readonly memory?: Float32Array }
  /** The adapter for the original base, as PEFT stores it; absent for methods that train whole weights. */
  toPeft?(
    parameters: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>,
    config: C,
    base: string,
    prepared?: Prepared,
  ): PeftFolder
}

/** A method whose configuration has been parsed: what registries hold and loops call. */
export type AnyMethod = FineTuneMethod
/** Forgets the configuration's type; sound as long as a method is given only what its own schema has parsed. */
export const anyMethod = <C>(method: FineTuneMethod<C>): AnyMethod => method
