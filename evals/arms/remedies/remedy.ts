/**
 * @file The interface of a remedy: what it makes of a fine-tune at each value of its one parameter, and of what size its control is.
 * One file per remedy, one line in the registry; the loop that chooses and judges a value knows none of them.
 */
import type { z } from 'zod'
import type { JobContext, Progress } from '../../contract/job.ts'
import type { Tuned } from '../../measure/arm-spectra.ts'
import type { Model } from '../../models/registry.ts'
import type { Base } from '../../measure/base.ts'
import type { EvaluationPlan } from '../../measure/evaluate.ts'
import type { ArmPlan, FinishedArm } from '../arm-plan.ts'

/** The fine-tune that is to be mended. */
export interface FineTune {
  readonly base: Base
  readonly tuned: Tuned
  /** How it was trained; absent for one that was made elsewhere. */
  readonly plan: ArmPlan | undefined
  readonly evaluation: EvaluationPlan
  readonly context: JobContext
  readonly progress: Progress
}

/** A state in the base's shapes. */
export interface MadeWeights {
  read(name: string): Float32Array
  /** Where it was trained, what it ended with: its own form is kept, such as an adapter. */
  readonly trained?: FinishedArm
}

interface OpenRemedy {
  /** From the one that changes the fine-tune least. */
  readonly values: readonly number[]
  readonly at: (value: number) => Promise<MadeWeights> | MadeWeights
  /** Has the size of the remedy at that value, and not its idea. */
  readonly control: (value: number) => Promise<MadeWeights> | MadeWeights
  /** Removes what was stored for it. */
  readonly close?: () => Promise<void>
}

/** @typeParam S its settings, as `--remedy NAME:key=value` gives them */
export interface Remedy<S = unknown> {
  readonly name: string
  readonly title: string
  readonly paper: string
  /** How closely it follows the paper; shown wherever the remedy is named. */
  readonly faithfulness: 'exact' | 'simplified' | 'variant' | 'own'
  /** What its value is, and what its control is. */
  readonly parameter: string
  readonly control: string
  /** Of strings, since they are read from a flag. */
  readonly settings: z.ZodType<S>
  /**
   * Whether all values come from one training, or each is one of its own; a fine-tune made elsewhere can have none of these.
   */
  readonly trains: 'never' | 'once' | 'each'
  /** How many values are tried at most, of so many steps of training. */
  readonly most: (settings: S) => number
  /** For one that ranks rows: at how many states of the training. */
  readonly checkpoints?: (settings: S) => number
  /** Throws where what the settings name is not there, or does not fit the model. */
  readonly check?: (settings: S, model: Model) => Promise<void>
  readonly open: (settings: S, of: FineTune) => Promise<OpenRemedy> | OpenRemedy
}

/** Settings parsed; the loop holds these. */
export interface AskedRemedy extends Omit<
  Remedy,
  'settings' | 'most' | 'checkpoints' | 'check' | 'open'
> {
  readonly most: number
  readonly checkpoints: number
  readonly check: (model: Model) => Promise<void>
  readonly open: (of: FineTune) => Promise<OpenRemedy> | OpenRemedy
}
