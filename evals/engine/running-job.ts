/**
 * @file A job in a process of its own. The engine reads its events from the database and then publishes them, so that whatever a
 * window saw is stored.
 */
import { reduceJob, type JobState } from '../contract/job-state.ts'
import type { WireError } from '../contract/wire-error.ts'
import { startChild, type Child } from './child.ts'
import { FEED_TYPES, lean, type Feed } from './feed.ts'
import type { Home } from './home.ts'
import type { FromJob, ToJob } from './job-messages.ts'
import type { WaitingJob } from './job-queue.ts'

export interface RunningJob extends WaitingJob {
  readonly child: Child<ToJob, FromJob>
  /** Reduced from the events that were published; undefined before the first. */
  state: JobState | undefined
  /** Of the last event that was published. */
  seq: number
  isStopping: boolean
  /** Why it could not start. */
  refusal: WireError | undefined
}

/** Events read at once; more are read in several steps. */
const MOST_EVENTS = 2000

/** A resumed job begins where its database ends. `onStored` is called with the last event that the database holds. */
export function startJob(
  home: Home,
  waiting: WaitingJob,
  onStored: (job: RunningJob, seq: number) => void,
): RunningJob {
  const { runId, request } = waiting
  const store = home.store(request.folder)
  const first = store.pages.events(runId, { afterSeq: 0, types: ['job-start'], limit: 1 })
  const job: RunningJob = {
    ...waiting,
    child: startChild('job-process', [runId, JSON.stringify(request)]),
    state: first.reduce<JobState | undefined>(reduceJob, undefined),
    seq: store.lastSeq(runId),
    isStopping: false,
    refusal: undefined,
  }
  job.child.onMessage((message) => {
    if (message.type === 'refused') job.refusal = message.error
    else onStored(job, message.seq)
  })
  return job
}

/** Publishes the events of the database up to `seq` that were not published yet. */
export function publishTo(seq: number, job: RunningJob, home: Home, feed: Feed): void {
  const { pages } = home.store(job.request.folder)
  for (;;) {
    const query = { afterSeq: job.seq, types: FEED_TYPES, limit: MOST_EVENTS }
    const events = pages.events(job.runId, query)
    job.state = events.reduce<JobState | undefined>(reduceJob, job.state)
    if (events.length > 0) feed.publish({ type: 'events', events: events.map(lean) })
    // The database may hold events after `seq` by now; they must not be published twice.
    job.seq = Math.max(job.seq, events.at(-1)?.seq ?? 0)
    if (events.length < MOST_EVENTS) break
  }
  job.seq = Math.max(job.seq, seq)
}

/** At the next safe point; at once where it is asked a second time. */
export function stopJob(job: RunningJob): void {
  if (job.isStopping) job.child.kill()
  else job.child.send({ type: 'stop' })
  job.isStopping = true
}
