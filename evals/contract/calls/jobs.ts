/** @file Jobs: planned, started, stopped, resumed, and their events. One runs at a time, the others wait. */
import { z } from 'zod'
import { call, Done, Nothing, RunRef } from '../call.ts'
import { EVENT_TYPES, JobEvent } from '../events.ts'
import { PeakPlan } from '../sweeps.ts'
import { WireError } from '../wire-error.ts'
import { JobKindName } from './catalog.ts'

const Config = z.record(z.string(), z.unknown()) // parsed again, by the kind's own schema
const Request = z.object({ kind: JobKindName, config: Config })

const JOB_STATUSES = [
  'queued',
  'running',
  'stopping',
  'done',
  'cancelled',
  'failed',
  /** Its process ended without an event. */
  'interrupted',
] as const
const JobStatus = z.enum(JOB_STATUSES)
type JobStatus = z.infer<typeof JobStatus>

export const JobView = RunRef.extend({
  kind: z.string(),
  title: z.string(),
  status: JobStatus,
  /** Place in the queue, from 1; null if it does not wait. */
  position: z.int().nullable(),
  phases: z.array(
    z.object({
      name: z.string(),
      unit: z.string(),
      done: z.int(),
      total: z.int().optional(),
      startedAt: z.int(),
    }),
  ),
  /** Milliseconds since 1970; for a waiting job, when it was requested. */
  startedAt: z.int(),
  at: z.int(),
  /** Time of the last stored event. */
  seq: z.int(),
  error: WireError.nullable(),
  canResume: z.boolean(),
  /** The `touchstone` line that does the same. */
  command: z.string(),
})
export type JobView = z.infer<typeof JobView>

const PlanLine = z.object({
  what: z.string(),
  count: z.int(),
  unit: z.string(),
  seconds: z.number().nullable(),
  /** Of a line that says how small a peak a sweep can see. */
  power: PeakPlan.optional(),
})

export const JobPlan = z.object({
  lines: z.array(PlanLine),
  /** Null if a line has no estimate. */
  seconds: z.number().nullable(),
  command: z.string(),
  /** Estimated bytes; null if no model is opened. */
  memory: z.number().nullable(),
  /** That it does not fit here, in words; absent where it does. */
  tooLarge: z.string().optional(),
  /** Flags with which it would, and the bytes that it would take with each. */
  fitting: z.array(z.object({ flags: z.string(), bytes: z.number() })).optional(),
})
export type JobPlan = z.infer<typeof JobPlan>

export const job = {
  /** Checks the configuration, opens what it needs to count, changes nothing. */
  plan: call(Request, JobPlan),
  /** The plan of a job that was started, whose time its progress is measured by. */
  forecast: call(RunRef, JobPlan),
  start: call(Request, RunRef),
  /** Stops at the next safe point with the state saved; a second call stops at once. A waiting job leaves the queue. */
  stop: call(RunRef, Done),
  resume: call(RunRef, Done),
  /** Moves to another place in the queue, from 1; a place past the end is the end. Refused for a job that does not wait. */
  move: call(RunRef.extend({ position: z.int().min(1) }), Done),
  /** Waiting and running jobs, then the newest hundred that ended. */
  list: call(Nothing, z.array(JobView)),
  /** Stored events after `afterSeq`, ascending; `isWhole` is false if there are more. */
  events: call(
    RunRef.extend({
      afterSeq: z.int().min(0).default(0),
      types: z.array(z.enum(EVENT_TYPES)).default([...EVENT_TYPES]),
      limit: z.int().min(1).max(10_000).default(2000),
    }),
    z.object({ events: z.array(JobEvent), isWhole: z.boolean() }),
  ),
}
