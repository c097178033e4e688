/** @file The interface of a learner, which updates a training state step by step, on the host or in a device's memory. */
import type { AdamWConfig, ParameterGroup } from '../../graph/optimizer.ts'
import type { Batch } from '../method.ts'
import type { TrainingSession } from './session.ts'

/** In each step: `add` for every micro-batch, then `norm`, then `update`. */
export interface Learner {
  /** Adds the gradient of a micro-batch to the step's, and returns its loss. */
  add(batch: Batch): Promise<number>
  /** ‖g‖₂ of the step's gradient as the optimiser will read it. */
  norm(): Promise<number>
  /** One AdamW update by `gradientScale`·g. Call `syncToHost` of the state before reading it on the host. */
  update(learningRate: number, gradientScale: number): Promise<void>
  /** The step's gradient in the order of the parameters; call it before `update`. */
  gradient(): Promise<Float32Array>
  /** Copies device values to the host, unless a step failed, and frees what the learner holds. */
  close(): Promise<void>
}

export interface LearnerOptions {
  readonly session: TrainingSession
  readonly seed: number
  readonly config: AdamWConfig & {
    readonly gradientAccumulationSteps: number
    readonly steps: number
  }
  readonly groups: readonly ParameterGroup[]
}
