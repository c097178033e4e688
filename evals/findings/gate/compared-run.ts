/**
 * @file What two runs must bring to be compared, whoever wrote them: our own database, `results` of another tool.
 * A reader of a foreign log makes one `ComparedRun` a model state; what it cannot know is null, never a guess.
 */
import type { BenchmarkRole, Outcome } from '../../contract/rows.ts'

/** How replies were drawn. Null where the log does not say. */
export interface Decoding {
  readonly maxNewTokens: number | null
  readonly temperature: number | null
  readonly seed: number | null
}

export interface ComparedBenchmark {
  readonly name: string
  readonly title: string
  readonly role: BenchmarkRole
  /** Digest over the prompts and their order; null where the log does not say. */
  readonly promptSetDigest: string | null
  readonly decoding: Decoding
}

/** What one judge said of one reply. Rows of two runs belong together by benchmark, judge, sample and epoch. */
export interface ComparedJudgement {
  readonly benchmark: string
  readonly role: BenchmarkRole
  readonly judge: string
  readonly judgeVersion: string
  readonly sampleId: string
  /** Counts repeated replies to one prompt, from 0. */
  readonly epoch: number
  readonly category: string
  readonly outcome: Outcome
  /** Digest of the prompt as the model saw it, or of the document (`doc_hash`); null where unknown. */
  readonly promptDigest: string | null
  /** Shown beside a flip; null where it must not be shown or is not known. */
  readonly prompt: string | null
}

/** One model state, asked and judged. */
export interface ComparedRun {
  /** A run's id, or a name that tells this log from another. */
  readonly runId: string
  /** Who wrote it: `touchstone`, `inspect`, `lm-eval`, … */
  readonly format: string
  /** The file or folder it was read from, as the user named it. */
  readonly origin: string
  readonly arm: string
  readonly seed: number
  readonly step: number
  readonly title: string
  readonly templateDigest: string | null
  readonly tokenizerDigest: string | null
  readonly benchmarks: readonly ComparedBenchmark[]
  readonly judged: readonly ComparedJudgement[]
}
