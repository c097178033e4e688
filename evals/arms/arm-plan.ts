/** @file An arm before, during and after its training: one method that fine-tunes the base on the data with one seed. */
import type { JobContext } from '../contract/job.ts'
import type { SubjectKey } from '../contract/rows.ts'
import type { BoundMethod, Prepared } from '../finetune/method.ts'
import type { Example } from '../finetune/training/dataset.ts'
import type { TrainingSession } from '../finetune/training/session.ts'
import type { TrainingState } from '../finetune/training/state.ts'
import type { TrainingConfig } from '../finetune/training/train.ts'
import type { Base } from '../measure/base.ts'
import type { EvaluationPlan } from '../measure/evaluate.ts'
import type { RefusalMarginPlan } from '../measure/live-refusal-margin.ts'

export interface ArmPlan {
  /** Its name: the method's, or another if one method appears twice. */
  readonly arm: string
  readonly method: BoundMethod
  readonly seed: number
  readonly training: TrainingConfig
  readonly examples: readonly Example[]
  readonly dataDigest: string
  /** Steps at which it is evaluated, ascending; the last is the end of training. */
  readonly evaluateAt: readonly number[]
  readonly evaluation: EvaluationPlan | undefined
  /** Whether its states are stored and evaluated in one pass, if the method supports it. */
  readonly evalTogether?: boolean
  /** Measured during training; absent if not requested. */
  readonly refusalMargin?: RefusalMarginPlan | undefined
  /** Called with each evaluated state before the last. The state's tensors change once the call has returned. */
  readonly onEvaluated?: ((state: FinishedArm) => Promise<void>) | undefined
  /** Folder of an arm that is trained again to an earlier step: no events about the arm itself are emitted. */
  readonly aside?: string
}

/** A trained arm, for spectra and export: its trained tensors by name. */
export interface FinishedArm {
  readonly plan: ArmPlan
  readonly key: SubjectKey
  readonly parameters: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>
  /** The start, needed to export an adapter for the original base, or weights. */
  readonly prepared: Prepared
  readonly statePath: string
}

/** An arm in training. */
export interface ArmRun {
  readonly base: Base
  readonly plan: ArmPlan
  readonly context: JobContext
  readonly session: TrainingSession
  /** Its parameters before the first step; absent where these are the base's own weights. */
  readonly start: Float32Array | undefined
  readonly state: TrainingState
  readonly folder: string
  readonly statePath: string
  /** Fields that must be equal in a saved state for training to continue from it. */
  readonly identity: Readonly<Record<string, string>>
  readonly arm: Pick<SubjectKey, 'arm' | 'seed'>
  savedAt: number
}

/** The name of an arm in log messages. */
export const nameOf = ({ arm, seed }: Pick<ArmPlan, 'arm' | 'seed'>): string =>
  `${arm}, seed ${seed}`

export const titleOf = ({ arm, method }: ArmPlan): string =>
  arm === method.name ? method.title : `${arm} (${method.title})`
