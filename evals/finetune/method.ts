/**
 * @file What a fine-tuning method is. An architecture never names a method; a method never names an architecture.
 * One file a method, one line in the registry.
 */
import type { z } from 'zod'
import type { Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import type { Adapter, LinearSite } from '../models/scope.ts'
import type { PeftFolder } from '../models/peft-folder.ts'

export type { Adapter, LinearSite }

/** One micro-batch as the training graph reads it (see train-graph.ts). */
export interface Batch {
  /** int32 `[batch, seq]`, padded at the end. */
  readonly tokens: Int32Array
  readonly batch: number
  readonly seq: number
  /** Flat indices into batch·seq of the positions whose next token is labelled, and those tokens, int32 `[n]`. */
  readonly rows: Int32Array
  readonly labels: Int32Array
  /** What each labelled token counts, `[n]`: 1 / the number of labelled tokens in the whole batch. */
  readonly weights: Float32Array
}

/** What a method may ask of the training session. Everything is `[parameters]`, in the order of the name → slice table. */
export interface Probe {
  readonly parameters: Float32Array
  setParameters(parameters: Float32Array): void
  gradients(batch: Batch): Promise<{ loss: number; flat: Float32Array }>
}

export interface StepState {
  readonly parameters: Float32Array
  readonly gradient: Float32Array
  readonly step: number
  readonly seed: number
}

/**
 * @typeParam C the configuration
 * @typeParam P what `prepare` computes once; it is part of the checkpoint
 */
export interface FineTuneMethod<C = unknown, P = void> {
  readonly name: string
  readonly title: string
  readonly paper: string
  /** How near the paper this is; shown wherever the method is named. */
  readonly faithfulness: 'exact' | 'simplified' | 'variant'
  readonly config: z.ZodType<C>
  /** Whether the adapter can become part of the weights. */
  readonly mergeable: boolean
  /** Whether the model answers as its base does before the first step. */
  readonly identityAtStart: boolean
  /** Layers that it may adapt, by module name; `undefined` leaves a layer as it is. */
  attach?(g: Graph, site: LinearSite, config: C, prepared: P): Adapter | undefined
  /** Which of the base's own weights it trains. */
  trainable?(weight: string, config: C): { learningRateScale: number } | undefined
  prepare?(session: Probe, config: C): Promise<P>
  loss?(g: Graph, io: { outputs: Value; reference?: Value; labels: Value; taskLoss: Value }): Value
  /** Changes what the optimiser is given; must leave parameters that it does not update bit-equal. */
  step?(state: StepState, session: Probe): Promise<StepState>
  /** The adapter for the original base, as PEFT stores it; absent for methods that train whole weights. */
  toPeft?(
    parameters: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>,
    config: C,
    base: string,
  ): PeftFolder
}

/** A method whose configuration has been parsed: what registries hold and loops call. */
export type AnyMethod = FineTuneMethod<unknown, unknown>
/** Forgets the configuration's type; sound as long as a method is given only what its own schema has parsed. */
export const anyMethod = <C, P>(method: FineTuneMethod<C, P>): AnyMethod =>
  method
