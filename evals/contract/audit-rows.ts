/** @file All stored rows of one run, from which `results.json` is computed. */
import type { Engine, JobEventBody, WireError } from './events.ts'
import type { Label, LabelItem } from './evidence.ts'
import type {
  ArmKey,
  ArtifactRow,
  BenchmarkRow,
  MetricRow,
  RepeatRow,
  ReplyKey,
  ReplyRow,
  SpectrumRow,
  SubjectIdentity,
  SubjectKey,
  VerdictRow,
} from './rows.ts'
import type { Origin } from './subjects/origin.ts'
import type { CellRow } from './sweeps.ts'

export interface RunRow {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly command: string
  readonly config: unknown
  /** The engine that started the run or resumed it last. */
  readonly engine: Engine
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** Null while it runs, and after it was killed. */
  readonly endedAt: number | null
  readonly outcome: (JobEventBody & { type: 'job-end' })['outcome'] | null
  readonly error: WireError | null
}

/** An evaluation of one model state on one benchmark whose replies are all stored. */
export type FinishedEvaluation = SubjectKey & {
  benchmark: string
  samples: number
  /** Digest of the context; null or absent for the prompts as they are. */
  context?: string | null
  /** Absent where every prompt was asked. */
  origin?: Origin
}

/** What became of an arm's weights after measuring: the fold of `weights-kept` and `weights-deleted`. */
export type WeightsRow = ArmKey & {
  readonly outcome: 'kept' | 'deleted'
  /** The file and its digest; null where deleted. */
  readonly path: string | null
  readonly digest: string | null
  readonly reasonToDelete: string | null
  readonly reasonToKeep: string | null
}

export type CheckpointRow = SubjectKey & { path: string; digest: string }

/** Benchmarks and subjects in the order of their first events, other rows ordered by key. */
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
  /** Of a served base; absent where rows were made without a store. */
  readonly repeats?: readonly RepeatRow[]
  readonly metrics: readonly MetricRow[]
  readonly spectra: readonly SpectrumRow[]
  readonly evaluations: readonly FinishedEvaluation[]
  readonly checkpoints: readonly CheckpointRow[]
  readonly artifacts: readonly ArtifactRow[]
  /** What became of each trained arm's weights; absent where rows were made without a store. */
  readonly weights?: readonly WeightsRow[]
  /** Of a sweep; absent where rows were made without a store. */
  readonly cells?: readonly CellRow[]
  /** Each time the sealed replies were written to a file; absent where there was none. */
  readonly unblinded?: readonly Unblinding[]
  /** The plan that the run began under, by its digest, and earlier runs under the same one; absent where there was none. */
  readonly begunUnder?: { readonly digest: string; readonly earlier: readonly string[] }
  /** Of replies to prompts that should be refused or answered, by `replyKey`; absent where rows were made without a store. */
  readonly replyDigests?: ReadonlyMap<string, string>
  /** Digest of a reply's wording, spaces and case aside; undefined of one that no row holds, absent where rows were made without a store. */
  readonly wordingOf?: (reply: ReplyRow) => string | undefined
  /** Lends the text of a reply that no row, report or log holds, to be looked at in place; absent where rows were made without a store. */
  readonly withheld?: (reply: ReplyKey) => string | undefined
  /** Every fine-tune that the job was to measure, each at its last step; absent where it did not say. */
  readonly planned?: readonly SubjectKey[]
  /** How many earlier runs of the database asked the same fine-tunes other prompts, drew other replies or had other looks. */
  readonly looked?: number
  /** Earlier runs of the database that asked the same fine-tunes the same prompts; absent where there are none. */
  readonly known?: readonly string[]
  /** How the rows are not those that the job wrote, as a clause; absent where they are. */
  readonly changed?: string
  /** Labels by people; absent where there are none. */
  readonly labelled?: Labelled
}

interface Labelled {
  readonly items: readonly LabelItem[]
  readonly labels: readonly Label[]
}

interface Unblinding {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly reason: string
}
