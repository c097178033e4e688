/** @file Events that are added to a run after its job ended. */
import type { JobEventBody } from '../contract/events.ts'
import { lockFolder } from './store/lock.ts'
import type { Store } from './store/store.ts'

interface StoredRun {
  readonly store: Store
  readonly folder: string
  readonly runId: string
}

/**
 * Appends one event to the log of a run, on disk before it returns. Throws `store.busy` while a job writes to the folder, because
 * the job would give its next event the same `seq`.
 */
export function appendToRun({ store, folder, runId }: StoredRun, event: JobEventBody): void {
  const unlock = lockFolder(folder)
  try {
    store.sink.event({ runId, seq: store.lastSeq(runId) + 1, at: Date.now(), ...event })
    store.sink.flush()
  } finally {
    unlock()
  }
}
