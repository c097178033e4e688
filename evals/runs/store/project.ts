/** @file What the events of the log fold to: the row that each of them writes. */
import type { JobEvent } from '../../contract/events.ts'
import { TABLES, type Table } from './tables.ts'

/** Writes the row that an event folds into its table; other events are kept in the log alone. */
export function project(event: JobEvent, write: <R>(table: Table<R>, row: R) => void): void {
  // Every event with a row is called like the table of its rows.
  if ('row' in event) return write(TABLES[event.type] as Table<unknown>, event.row)
  switch (event.type) {
    case 'evaluation-end':
      return write(TABLES.evaluation, { ...event.subject, ...event })
    case 'checkpoint':
      return write(TABLES.checkpoint, { ...event.subject, ...event })
    case 'weights-kept':
      return write(TABLES.weights, { ...event.subject, ...event, outcome: 'kept' })
    case 'weights-deleted': {
      const { subject, reason: reasonToDelete } = event
      const kept = { path: null, digest: null, reasonToKeep: null }
      return write(TABLES.weights, { ...subject, outcome: 'deleted', reasonToDelete, ...kept })
    }
  }
}
