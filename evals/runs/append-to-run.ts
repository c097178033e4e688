/** @file Events that are added to a run after its job ended, and the run as a job sees it that adds to it. */
import type { JobEventBody } from '../contract/events.ts'
import type { EndedRun, Progress } from '../contract/job.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { lockFolder } from './store/lock.ts'
import type { Store } from './store/store.ts'

interface StoredRun {
  readonly store: Store
  readonly folder: string
  readonly runId: string
}

/**
 * Appends one event to the log of a run, on disk before it returns. Throws `store.busy` while a job writes to the folder, because
 * the job would give its next event the same `seq`; not where the run is done, which no job goes on with.
 */
export function appendToRun({ folder, ...run }: StoredRun, event: JobEventBody): void {
  const isDone = run.store.run(run.runId)?.outcome === 'done'
  const unlock = isDone ? () => undefined : lockFolder(folder)
  try {
    append(run, [event])
  } finally {
    unlock()
  }
}

function append(
  { store, runId }: Omit<StoredRun, 'folder'>,
  events: readonly JobEventBody[],
): void {
  store.atomically(() => {
    let seq = store.lastSeq(runId)
    for (const event of events) store.sink.event({ runId, seq: ++seq, at: Date.now(), ...event })
    store.sink.flush()
  })
}

/** The runs of a folder, for a job, which holds its lock, or for a plan, which adds nothing. */
export const endedRuns = (place: Omit<StoredRun, 'runId'>): Pick<Progress, 'ended'> => ({
  ended: (runId) => endedRun({ ...place, runId }),
})

function endedRun({ store, folder, runId }: StoredRun): EndedRun {
  const run = store.run(runId)
  if (!run) throw new TouchstoneError('run.not-found', { run: runId, where: folder })
  if (run.outcome === null) throw new TouchstoneError('run.not-ended', { run: runId })
  return {
    rows: () => store.rows(runId),
    sealed: () => store.sealed(runId),
    append: (events) => append({ store, runId }, events),
    known: (judge) => store.evidence.judged(judge),
    keep: (judge, replies) => store.evidence.keepJudged(judge, replies),
  }
}
