/** @file Where the models of an audit are: here, or behind an address. A kind plans and runs the whole of it. */
import type { JobContext, PlanLine, Progress } from '../../contract/job.ts'
import type { PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import type { TrainingData } from '../../measure/sources.ts'
import type { FederatedPlan } from '../../arms/federation/federation-plan.ts'
import type { Base } from '../../measure/base.ts'
import type { EvaluationPlan, Measurement } from '../../measure/evaluate.ts'
import type { AuditConfig } from '../config.ts'

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
}

export interface SubjectKind {
  /** Whether it is the one to open what is named so. */
  owns(model: string): boolean
  plan(config: AuditConfig, evaluates: boolean): Promise<PlanLine[]>
  run(work: AuditWork, context: JobContext, progress: Progress): Promise<void>
}
