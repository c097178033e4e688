/** @file Where the models of an audit are: here, or behind an address. A kind plans and runs the whole of it. */
import type { AuditRows } from '../../contract/audit-rows.ts'
import type { JobContext, PlanLine, Progress } from '../../contract/job.ts'
import type { PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import type { TrainingData } from '../../measure/sources.ts'
import type { ArmPlan } from '../../arms/arm-plan.ts'
import type { FederatedPlan } from '../../arms/federation/federation-plan.ts'
import type { Tuned } from '../../measure/arm-spectra.ts'
import type { Base } from '../../measure/base.ts'
import type { EvaluationPlan, Measurement } from '../../measure/evaluate.ts'
import type { AuditConfig } from '../config.ts'

/** What a study looks into. */
export interface Studied {
  readonly base: Base
  readonly arms: readonly ArmPlan[]
  /** Candidates, and arms that have weights of their own, at their last step. */
  readonly tuned: readonly Tuned[]
  readonly evaluation: EvaluationPlan
}

/** Looks into fine-tunes that were trained again for it; their weights are deleted after. */
export interface Study {
  /** The run that is looked into; what it read must be there as it was. */
  readonly of: AuditRows
  readonly look: (found: Studied) => Promise<void>
  /** Given each state on the way at which the run's fine-tunes were evaluated; absent: they are trained to their last step. */
  readonly along?: (found: Omit<Studied, 'arms'>) => Promise<void>
}

/** Every kind of job on one model runs as an audit in which the parts left out are null or empty. */
export interface AuditWork {
  readonly config: AuditConfig
  readonly evaluates: boolean
  /** Rows that are made, not read: in place of those that the configuration names. */
  readonly own?: {
    readonly data: TrainingData
    readonly benchmarks: readonly PreparedBenchmark[]
    /** Measured of each state after the benchmarks. */
    readonly measures?: readonly Measurement[]
  }
  /** In place of arms that are trained on one set of data. */
  readonly federated?: {
    readonly isTampering: boolean
    readonly plans: (
      base: Base,
      evaluation: EvaluationPlan | undefined,
    ) => Promise<readonly FederatedPlan[]>
  }
  readonly study?: Study
}

export interface SubjectKind {
  /** Whether it is the one to open what is named so. */
  owns(model: string): boolean
  plan(config: AuditConfig, evaluates: boolean): Promise<PlanLine[]>
  run(work: AuditWork, context: JobContext, progress: Progress): Promise<void>
}
