/** @file Everything the store knows of one run: what `results.json` is computed from, and nothing else. */
import type { Engine, JobEventBody, WireError } from './events.ts'
import type { Label, LabelItem } from './evidence.ts'
import type {
  ArtifactRow,
  BenchmarkRow,
  MetricRow,
  ReplyRow,
  SpectrumRow,
  SubjectIdentity,
  SubjectKey,
  VerdictRow,
} from './rows.ts'
import type { CellRow } from './sweeps.ts'

export interface RunRow {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly command: string
  readonly config: unknown
  /** The engine that started it, or the one that resumed it last. */
  readonly engine: Engine
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Null while it runs, and after it was killed. */
  readonly endedAt: number | null
  readonly outcome: (JobEventBody & { type: 'job-end' })['outcome'] | null
  readonly error: WireError | null
}

/** Every reply of one model state to one benchmark is in. */
export type FinishedEvaluation = SubjectKey & { benchmark: string; samples: number }

export type CheckpointRow = SubjectKey & { path: string; digest: string }

/** Benchmarks and subjects in the order in which the run named them; the rest ordered by key. */
export interface AuditRows {
  readonly run: RunRow
  /**
   * When the last reply, verdict, metric or spectrum came in, in milliseconds since 1970; `startedAt` if none did.
   * Unlike the end of the job it is known while the job still writes its report.
   */
  readonly measuredUntil: number
  readonly benchmarks: readonly BenchmarkRow[]
  readonly subjects: readonly SubjectIdentity[]
  readonly replies: readonly ReplyRow[]
  readonly verdicts: readonly VerdictRow[]
  readonly metrics: readonly MetricRow[]
  readonly spectra: readonly SpectrumRow[]
  readonly evaluations: readonly FinishedEvaluation[]
  readonly checkpoints: readonly CheckpointRow[]
  readonly artifacts: readonly ArtifactRow[]
  /** Of a sweep; absent where rows were made without a store. */
  readonly cells?: readonly CellRow[]
  /** Every time that the sealed replies were written out; absent where nobody looked. */
  readonly unblinded?: readonly Unblinding[]
  /** What people said of replies; absent where nobody labelled any. */
  readonly labelled?: Labelled
}

interface Labelled {
  readonly items: readonly LabelItem[]
  readonly labels: readonly Label[]
}

/** How an unblinding stands in a run's log: a `log` event whose message begins so and ends in the reason. */
export const UNBLINDED = 'Unblinded: '

export interface Unblinding {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly reason: string
}
