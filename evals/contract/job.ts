/** @file What a job is given and what reads its events; what a kind of job is: a configuration, a plan that can be shown before anything runs, and the run itself. */
import type { z } from 'zod'
import type { AuditRows, FinishedEvaluation } from './audit-rows.ts'
import type { JobEvent, JobEventBody } from './events.ts'
import type { JudgedReply, JudgeVersion } from './evidence.ts'
import type { SealedReply } from './rows.ts'
import type { PeakPlan } from './sweeps.ts'

/** A reader of events: the store, a progress bar, a host. Everything but `event` is optional. */
export interface Sink {
  readonly event: (event: JobEvent) => void
  /** A reply to a prompt that should be refused. Only the store takes these. */
  readonly seal?: (row: SealedReply) => void
  /** What was told so far must be safe after this returns. */
  readonly flush?: () => void
  readonly close?: () => void
}

/** What a job is given. `emit` is pushed, so that a loop three calls deep can speak. */
export interface JobContext {
  readonly emit: (body: JobEventBody) => void
  readonly seal: (row: SealedReply) => void
  readonly flush: () => void
  readonly signal: AbortSignal
  /** The folder that the job may write to. */
  readonly workspace: string
}

/** Emits a log message. */
export const emitLog = (
  { emit }: Pick<JobContext, 'emit'>,
  level: 'info' | 'warn',
  message: string,
): void => emit({ type: 'log', level, message })

export type JobEnd = JobEventBody & { type: 'job-end' }

export interface FittingFlags {
  readonly flags: string
  readonly bytes: number
}

/** A peak that is more than this machine has free: how much it has, and flags with which it would fit, each with its bytes. */
export interface TooLarge {
  readonly freeBytes: number
  readonly fitting: readonly FittingFlags[]
  /** Where none would: all flags that take less, together. */
  readonly least?: FittingFlags
}

/** One line of `--dry-run`: what will be done, how often, and a rough time where one can be told. */
export interface PlanLine {
  readonly what: string
  readonly count: number
  readonly unit: 'prompt' | 'step' | 'matrix' | 'text' | 'file' | 'cell' | 'seed'
  readonly seconds: number | null
  /** Memory at the peak, where it can be told. */
  readonly bytes?: number
  readonly tooLarge?: TooLarge
  /** Of a line that says how small a peak a sweep can see. */
  readonly power?: PeakPlan
}

/** A run that has ended, as a job sees it that adds to it. */
export interface EndedRun {
  rows(): AuditRows
  /** Replies to prompts that should be refused: judges see them, and nobody else. */
  sealed(): readonly SealedReply[]
  /** Adds to the run's log, on disk before it returns. */
  append(events: readonly JobEventBody[]): void
  /** What this version of a judge said of replies of any run, by the reply's digest. */
  known(judge: JudgeVersion): ReadonlyMap<string, JudgedReply>
  keep(judge: JudgeVersion, replies: ReadonlyMap<string, JudgedReply>): void
}

/** What an earlier, interrupted attempt at the same run has left behind; empty for a new run. */
export interface Progress {
  readonly evaluations: readonly FinishedEvaluation[]
  /** Everything that has been said so far, this attempt's part included. */
  rows(): AuditRows
  /** Replies of this run to prompts that should be refused: judges see them, and nobody else. */
  sealed(): readonly SealedReply[]
  /** Another run in the same folder. Throws where there is none, or where it has not ended. */
  ended(runId: string): EndedRun
  /** Why weights at a path should have been deleted, by the note beside them or the run that made them; null where they should not. */
  exceptionOf(path: string): Promise<string | null>
}

export interface JobKind<C = unknown> {
  readonly name: string
  /** The parsed value is stored with the run, so that it can be repeated exactly. */
  readonly config: z.ZodType<C>
  title(config: C): string
  /** Opens what it needs to count, changes nothing. */
  plan(config: C, stored: Pick<Progress, 'ended'>): Promise<PlanLine[]>
  /** Law: killed between any two events and run again with what was left, it ends in the same rows. */
  run(config: C, context: JobContext, progress: Progress): Promise<void>
}

/** A kind whose configuration has been parsed: what the command line holds. */
export type AnyJobKind = JobKind<unknown>
export const anyJobKind = <C>(kind: JobKind<C>): AnyJobKind => kind
