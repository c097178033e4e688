/**
 * @file The one kind of thing that a job says. The store, the log, the bar and the window are readers of it.
 * `seq` counts from 1 within a run and goes on after a resume. No event carries a reply to a prompt that should be refused.
 */
import { z } from 'zod'
import {
  ArtifactRow,
  BenchmarkRow,
  MetricRow,
  ReplyRow,
  SpectrumRow,
  SubjectIdentity,
  SubjectKey,
  VerdictRow,
} from './rows.ts'
import { CellRow } from './sweeps.ts'
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
  /** What decomposed matrices and updated parameters: TypeScript in every run from before there was the addon. */
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
    unit: z.enum(['step', 'sample', 'matrix', 'byte', 'token', 'cell']),
  }),
  z.object({ type: z.literal('phase-progress'), phase: z.string(), done: z.int() }),
  z.object({ type: z.literal('phase-end'), phase: z.string() }),
  z.object({ type: z.literal('benchmark'), row: BenchmarkRow }),
  z.object({ type: z.literal('subject'), row: SubjectIdentity }),
  z.object({ type: z.literal('metric'), row: MetricRow }),
  z.object({ type: z.literal('reply'), row: ReplyRow }),
  z.object({ type: z.literal('verdict'), row: VerdictRow }),
  z.object({ type: z.literal('spectrum'), row: SpectrumRow }),
  /** Every reply of a model state to one benchmark is in: what precedes need not be asked again. */
  z.object({
    type: z.literal('evaluation-end'),
    subject: SubjectKey,
    benchmark: z.string(),
    samples: z.int(),
  }),
  z.object({
    type: z.literal('checkpoint'),
    subject: SubjectKey,
    path: z.string(),
    digest: z.string(),
  }),
  z.object({ type: z.literal('artifact'), row: ArtifactRow }),
  /** A cell of a sweep is settled, for good or with its error. */
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

/** Every kind of event, so that a reader can say which it wants. */
export const EVENT_TYPES: readonly EventType[] = JobEventBody.options.map(
  ({ shape }) => shape.type.value,
)

export const JobEvent = z
  .object({ runId: z.string(), seq: z.int().min(1), at: z.int() })
  .and(JobEventBody)
export type JobEvent = z.infer<typeof JobEvent>
