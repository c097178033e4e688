/**
 * @file The interface of a fine-tuning method. Architectures and methods do not know each other.
 * One file per method, one line in the registry.
 */
import type { z } from 'zod'
import type { Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import type { Adapter, Gate, LinearSite, Mode } from '../models/scope.ts'
import type { PeftFolder, PeftTensor } from '../models/formats/peft-folder.ts'
import type { FoundMixture, MixtureFolder } from '../models/formats/mixture-folder.ts'
import type { Model } from '../models/registry.ts'
import type { ParameterTable } from './training/parameters.ts'

export type { Adapter, LinearSite, Mode }

/** One micro-batch as the training graph reads it (`train-graph.ts`). */
export interface Batch {
  /** int32 `[batch, seq]`, padded at the end. */
  readonly tokens: Int32Array
  /** int32 `[batch, seq]`: a token's position in its text, and the number of that text in its lane; padding has segment −1. */
  readonly positions: Int32Array
  readonly segments: Int32Array
  readonly batch: number
  readonly seq: number
  /**
   * int32 `[n]`: flat indices into batch·seq of the positions whose next token is labelled, and those tokens. For texts with
   * a class: the first position of each text, and its class.
   */
  readonly rows: Int32Array
  readonly labels: Int32Array
  /** int32 `[n]`: how many labelled tokens stand right before it: its place in the reply, from 0. */
  readonly places?: Int32Array
  /** Weight of each label, `[n]`: 1 / number of labels in the optimiser step. */
  readonly weights: Float32Array
  /** `[n, width]`: what each row's outputs should be, of networks that learn numbers in place of classes. */
  readonly targets?: Float32Array
  /** int32 `[batch, seq]`: the kind of a token's text, −1 where it has none. */
  readonly kinds?: Int32Array
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

/** What a method can read before training: the base's weights and their gradients. */
export interface Probe {
  readonly seed: number
  readonly sites: readonly Site[]
  /** float32, as the checkpoint has it. */
  weight(name: string): Float32Array
  /**
   * ∂L/∂W of the base without an adapter, by name: the mean over `batches` micro-batches, equally weighted, or that of its
   * squares. The rows are the first rows of training.
   */
  gradients(
    names: readonly string[],
    options: { batches: number; batchSize: number; squared?: boolean },
  ): Promise<ReadonlyMap<string, Float32Array>>
}

/** Where training starts: a function of (base, data, seed), computed again when a run is resumed. */
export interface Prepared {
  /** Initial values of adapter parameters, by name; all others come from their initialiser. */
  readonly parameters?: ReadonlyMap<string, Float32Array>
  /** Weights of the base that differ from the checkpoint, by name: training and evaluation use them. */
  readonly weights?: ReadonlyMap<string, Float32Array> | undefined
  /** Of a model that was cut, by layer. */
  readonly kept?: ReadonlyMap<string, KeptChannels>
}

/** What is left of a layer of which channels were cut. */
export interface KeptChannels {
  /** The layer's whole size, `[out, in]`. */
  readonly whole: readonly [number, number]
  /** Indices of the rows that are kept, ascending; absent where all are. */
  readonly rows?: readonly number[] | undefined
  readonly columns?: readonly number[] | undefined
}

/** A trained state, to make weights of it. */
export interface EndState {
  /** The base. */
  readonly model: Model
  readonly parameters: ReadonlyMap<string, PeftTensor>
  readonly prepared: Prepared
  /** A weight of the base. */
  weight(name: string): Float32Array
}

/** A smaller model of the same family with the base's weights, and what was kept of each layer. */
export interface CutModel {
  readonly model: Model
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly kept: ReadonlyMap<string, KeptChannels>
}

/** Read-only input of the hooks of a step. */
export interface StepState {
  readonly parameters: Float32Array
  /** The optimiser's first moment, in the order of the parameters. */
  readonly firstMoment: Float32Array
  /** Number of finished steps. */
  readonly step: number
  /** Number of steps of the plan. */
  readonly steps: number
  readonly microBatch: number
  readonly seed: number
  /** The method's numbers from step to step; saved with the training state. */
  readonly memory: Float32Array
  readonly layout: Layout
}

/** Layout of the flat parameter vector, and the frozen weights below it. */
export interface Layout {
  readonly table: ParameterTable
  /** What is trained: the base, or what was cut of it. */
  readonly model: Model
  readonly sites: readonly Site[]
  /** A weight of the base as the session uses it, including changes by `prepare`. */
  weight(name: string): Float32Array
}

/** Substitutes for parameters and weights while one gradient is computed. */
export interface Perturbation {
  readonly parameters?: Float32Array
  /** Frozen weights, and inputs that the method's adapters declared for training, by name. */
  readonly inputs?: ReadonlyMap<string, Float32Array>
}

/** What a method makes of a step's gradient. */
export interface Stepped {
  readonly gradient: Float32Array
  readonly memory?: Float32Array
  /** New values of fixed parameters (learning-rate factor 0), by name, once the others are updated. */
  readonly parameters?: ReadonlyMap<string, Float32Array>
}

/** Values from which a method builds its own loss. */
export interface LossInputs {
  /** Logits `[labelled, vocab]` (or classes), target indices int32 `[labelled]`, and row weights `[labelled]`. */
  readonly outputs: Value
  readonly labels: Value
  readonly rowWeights: Value
  /** −Σ weight·log p(label), `[]`: the loss that training reports. */
  readonly taskLoss: Value
  /** Shares of experts by layer, `[tokens, experts]`, of a mixture; empty for other methods. */
  readonly shares: ReadonlyMap<string, Value>
  /** Kind of each token's text, int32 `[batch, seq]`: 1 or 0 as its row says, −1 for padding and rows that say nothing. */
  readonly kinds: () => Value
  /** Place of each label in its reply, int32 `[labelled]`, from 0. */
  readonly places: () => Value
  /** Logits of the base on the same rows. Calling it adds a forward pass of the base to every step. */
  readonly reference: () => Value
}

export interface Observed {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** What is known of a method without a configuration. */
interface MethodFacts {
  readonly name: string
  readonly title: string
  readonly paper: string
  /** How closely the implementation follows the paper; shown wherever the method is named. */
  readonly faithfulness: 'exact' | 'simplified' | 'variant'
  /** Uncertain or disputed points, and what was chosen. */
  readonly notes?: readonly string[]
  /** Whether the adapter can become part of the weights. */
  readonly mergeable: boolean
  /** Whether the model answers as its base does before the first step. */
  readonly identityAtStart: boolean
  /** Raised with every change that alters the numbers of the same settings; absent is 1. Part of a sweep's cells. */
  readonly revision?: number
}

/** What a method does with one configuration. */
export interface MethodHooks {
  /**
   * The adapter of a linear layer; `undefined` leaves the layer unchanged. A parameter with learning-rate factor 0 is fixed: it
   * is stored with the others, and no gradient of it is computed.
   */
  readonly attach?: (g: Graph, site: LinearSite, mode?: Mode, shares?: Value) => Adapter | undefined
  /** Shares of experts from a first pass of the base; `attach` is then given each layer's. */
  readonly gate?: Gate
  /**
   * Cuts the model that is trained in place of the base; without `weights` from its shapes alone. `toPeft` gives the adapter for
   * the base, and the cut model is asked as a second state of each arm.
   */
  readonly cut?: (base: Pick<CutModel, 'model'> & Partial<Pick<CutModel, 'weights'>>) => CutModel
  /** Weights that the fine-tune ends with, by name, of a method that ends neither in an adapter on the base nor in trained weights. */
  readonly toWeights?: (state: EndState) => ReadonlyMap<string, Float32Array>
  /** What is left of each layer, of a method that prunes: a state is written in these sizes where the family's format has them. */
  readonly kept?: (state: EndState) => CutModel['kept']
  /** Which of the base's own weights are trained. */
  readonly trainable?: (weight: string) => { learningRateScale: number } | undefined
  readonly prepare?: (session: Probe) => Promise<Prepared>
  /** The loss to minimise in place of the task's loss. */
  readonly loss?: (g: Graph, io: LossInputs) => Value
  /**
   * Inputs of the loss that no operator computes, by the names under which `loss` declared them. `gram` is
   * outputs·outputsᵀ `[count, count]` where the gradient is about to be computed. Costs one more forward pass in every step.
   */
  readonly observe?: (gram: Float64Array, count: number) => ReadonlyMap<string, Observed>
  /** How many numbers the method keeps between steps; they start at 0. */
  readonly memory?: (layout: Layout) => number
  /** Where the gradient of the next micro-batch is computed. The parameters themselves do not change. */
  readonly perturb?: (state: StepState) => Perturbation | undefined
  /** Changes the gradient before the optimiser reads it, the method's memory, and fixed parameters by name. Pure. */
  readonly step?: (state: StepState & { readonly gradient: Float32Array }) => Stepped
  /** The adapter for the original base in PEFT's form; absent for methods that train whole weights. */
  readonly toPeft?: (
    parameters: ReadonlyMap<string, PeftTensor>,
    base: string,
    prepared?: Prepared,
  ) => PeftFolder
  /** The experts and what routes between them, for methods that are not mergeable. */
  readonly toMixture?: (parameters: ReadonlyMap<string, PeftTensor>, base: string) => MixtureFolder
}

/** @typeParam C the parsed configuration */
export interface FineTuneMethod<C = unknown> extends MethodFacts {
  readonly config: z.ZodType<C>
  /** Of a mixture: the `peft_type` of its folders, and a folder as a configuration. */
  readonly mixture?: {
    readonly type: string
    readonly settingsOf: (found: FoundMixture) => unknown
  }
  /** The control that a claim about this method is held against; undefined for the control itself. */
  control?(config: C): C | undefined
  /** Call `bind`, which parses the configuration first. */
  hooks(config: C): MethodHooks
}

/** A method with its configuration parsed. */
export interface BoundMethod extends MethodFacts, MethodHooks {
  /** The parsed configuration: part of a training state's identity. */
  readonly settings: unknown
}

/** Parses `config` by the method's schema; an invalid one throws a `ZodError`. */
export function bind<C>(method: FineTuneMethod<C>, config: unknown): BoundMethod {
  const settings = method.config.parse(config)
  return { ...method, settings, ...method.hooks(settings) }
}
