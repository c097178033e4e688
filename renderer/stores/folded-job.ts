/** @file The engine's description of a job, updated by later events. */
import type { JobView } from '../../evals/contract/calls/jobs.ts'
import type { JobEvent } from '../../evals/contract/events.ts'
import { reduceJob, type JobState } from '../../evals/contract/job-state.ts'

/** The queue's state (waiting, stopping, resumable) comes from the engine's description only. */
export function foldedJob(job: JobView, events: readonly JobEvent[]): JobView {
  const own = events.filter(({ runId, seq }) => runId === job.runId && seq > job.seq)
  if (own.length === 0) return job
  const { runId, seq, kind, title, phases, startedAt, at } = job
  const before: JobState = { runId, seq, kind, title, status: 'running', phases, startedAt, at }
  const { phases: open, ...after } = own.reduce(reduceJob, before)
  return {
    ...job,
    seq: after.seq,
    at: after.at,
    kind: after.kind,
    title: after.title,
    phases: [...open],
    status: after.status === 'running' ? job.status : after.status,
    error: after.error ?? job.error,
  }
}
