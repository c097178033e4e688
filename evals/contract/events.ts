/**
 * @file The events of a run, read by the store, the log, the progress bar and the window. `seq` counts from 1 within a run and
 * continues after a resume. No event carries a reply to a prompt that should be refused. Sentences in events are for people:
 * no code reads them.
 */
import { z } from 'zod'
import {
  ArmKey,
  ArtifactRow,
  BenchmarkRow,
  MetricRow,
  RepeatRow,
  ReplyRow,
  SpectrumRow,
  SubjectIdentity,
  SubjectKey,
  VerdictRow,
} from './rows.ts'
import { ComparedField } from './gate/rule.ts'
import { CellRow } from './sweeps.ts'
import { Origin } from './subjects/origin.ts'
import { WireError } from './wire-error.ts'

export { WireError }

export const Engine = z.object({
  version: z.string(),
  node: z.string(),
  onnxruntime: z.string(),
  platform: z.string(),
  cpu: z.string(),
  threads: z.int(),
  device: z.string(),
  /** The implementation that decomposed matrices and updated parameters; TypeScript in runs made before the addon existed. */
  arithmetic: z.string().default('typescript'),
})
export type Engine = z.infer<typeof Engine>

export const JobEventBody = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('job-start'),
    kind: z.string(),
    title: z.string(),
    command: z.string(),
    config: z.unknown(),
    engine: Engine,
  }),
  z.object({ type: z.literal('job-resume'), engine: Engine }),
  z.object({
    type: z.literal('phase-start'),
    phase: z.string(),
    total: z.int().optional(),
    unit: z.enum(['step', 'sample', 'row', 'matrix', 'byte', 'token', 'cell']),
  }),
  z.object({ type: z.literal('phase-progress'), phase: z.string(), done: z.int() }),
  z.object({ type: z.literal('phase-end'), phase: z.string() }),
  z.object({ type: z.literal('benchmark'), row: BenchmarkRow }),
  z.object({ type: z.literal('subject'), row: SubjectIdentity }),
  z.object({ type: z.literal('metric'), row: MetricRow }),
  z.object({ type: z.literal('reply'), row: ReplyRow }),
  z.object({ type: z.literal('verdict'), row: VerdictRow }),
  z.object({ type: z.literal('repeat'), row: RepeatRow }),
  z.object({ type: z.literal('spectrum'), row: SpectrumRow }),
  /** All replies of a model state to one benchmark are stored; a resumed job skips this evaluation. */
  z.object({
    type: z.literal('evaluation-end'),
    subject: SubjectKey,
    benchmark: z.string(),
    samples: z.int(),
    /** Digest of the context; absent for the prompts as they are. */
    context: z.string().optional(),
    /** Absent where every prompt was asked. */
    origin: Origin.optional(),
  }),
  z.object({
    type: z.literal('checkpoint'),
    subject: SubjectKey,
    path: z.string(),
    digest: z.string(),
  }),
  z.object({ type: z.literal('artifact'), row: ArtifactRow }),
  /** The weights of an arm were exported after measuring. `reasonToDelete` is set where the rule would have deleted them. */
  z.object({
    type: z.literal('weights-kept'),
    subject: ArmKey,
    path: z.string(),
    digest: z.string(),
    reasonToDelete: z.string().nullable(),
    /** The user's reason. */
    reasonToKeep: z.string().nullable(),
  }),
  /** The weights of an arm were deleted; emitted after the files are gone. */
  z.object({ type: z.literal('weights-deleted'), subject: ArmKey, reason: z.string() }),
  /** Kept weights that the rule would have deleted were exported or copied for somebody. */
  z.object({
    type: z.literal('weights-handed-out'),
    /** Null in runs of version 0.1.0 that did not record it. */
    reasonToDelete: z.string().nullable(),
    reason: z.string(),
  }),
  /** Sealed replies were written to a file. */
  z.object({ type: z.literal('unblinded'), reason: z.string() }),
  /** A case was made of this run; `manifest` is the SHA-256 of its manifest. Numbers count from 1. */
  z.object({ type: z.literal('case-made'), number: z.int().min(1), manifest: z.string() }),
  /** The run began under this plan, by its digest; `earlier` are runs of the same folder that were measured under it before. */
  z.object({ type: z.literal('plan'), digest: z.string(), earlier: z.array(z.string()) }),
  /** Every fine-tune that is to be measured, each at its last step; a resumed run says it again. */
  z.object({ type: z.literal('planned'), states: z.array(SubjectKey) }),
  /** This run was compared with `against` although `fields` differ. */
  z.object({ type: z.literal('override'), fields: z.array(ComparedField), against: z.string() }),
  /** A cell of a sweep finished or failed. */
  z.object({ type: z.literal('cell'), row: CellRow }),
  z.object({
    type: z.literal('log'),
    level: z.enum(['debug', 'info', 'warn']),
    message: z.string(),
  }),
  z.object({
    type: z.literal('job-end'),
    outcome: z.enum(['done', 'cancelled', 'failed']),
    error: WireError.optional(),
  }),
])
export type JobEventBody = z.infer<typeof JobEventBody>
export type EventType = JobEventBody['type']

/** Every type of event, for readers that select some. */
export const EVENT_TYPES: readonly EventType[] = JobEventBody.options.map(
  ({ shape }) => shape.type.value,
)

export const JobEvent = z
  .object({ runId: z.string(), seq: z.int().min(1), at: z.int() })
  .and(JobEventBody)
export type JobEvent = z.infer<typeof JobEvent>
