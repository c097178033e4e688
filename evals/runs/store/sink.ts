/** @file The store's event sink: appends events to the log and folds them into the tables, one transaction a batch. */
import type { Database, Statement } from 'better-sqlite3'
import type { JobEvent } from '../../contract/events.ts'
import type { SealedReply } from '../../contract/rows.ts'
import type { Sink } from '../../contract/job.ts'
import { createRunWriter } from './runs.ts'
import { TABLES, toValues, upsertSql, type Table } from './tables.ts'

/** A commit costs about as much as this number of inserts. */
const BATCH = 256

/** Events after which a reader or a resumed job must find everything emitted so far. */
const FLUSH_AFTER: ReadonlySet<JobEvent['type']> = new Set([
  'job-start',
  'job-resume',
  'evaluation-end',
  'checkpoint',
  'artifact',
  'weights-kept',
  'weights-deleted',
  'cell',
  'job-end',
])

type Pending = { event: JobEvent } | { runId: string; sealed: SealedReply }

/** `guard` translates the database's errors. Events that could not be written stay pending and are retried. */
export function createSink(
  database: Database,
  guard: (action: () => void) => void,
): Required<Sink> {
  let pending: Pending[] = []
  let runId = ''
  const write = createWriter(database)
  const writeAll = database.transaction((batch: readonly Pending[]) => batch.forEach(write))

  function flush() {
    if (pending.length === 0) return
    guard(() => writeAll.immediate(pending))
    pending = []
  }
  return {
    event(event) {
      runId = event.runId
      pending.push({ event })
      if (pending.length >= BATCH || FLUSH_AFTER.has(event.type)) flush()
    },
    seal(sealed) {
      if (runId === '') throw new Error('internal: a reply was sealed before its job began')
      pending.push({ runId, sealed })
      if (pending.length >= BATCH) flush()
    },
    flush,
    close() {
      if (!database.open) return
      try {
        flush()
      } finally {
        database.close()
      }
    },
  }
}

function createWriter(database: Database): (entry: Pending) => void {
  const keep = database.prepare(
    `INSERT INTO event (run_id, seq, at, type, body_json) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (run_id, seq) DO NOTHING`,
  )
  const writeRun = createRunWriter(database)
  const upsert = createUpsert(database)
  return (entry) => {
    if ('sealed' in entry) return upsert(entry.runId, TABLES.sealedReply, entry.sealed)
    const { runId, seq, at, type, ...body } = entry.event
    const isNew = keep.run(runId, seq, at, type, JSON.stringify(body)).changes === 1
    // Replaying a log a second time must not undo its later events.
    if (!isNew) return
    writeRun(entry.event)
    project(entry.event, (table, row) => upsert(runId, table, row))
  }
}

function createUpsert(database: Database): <R>(runId: string, table: Table<R>, row: R) => void {
  const statements = new Map<string, Statement>()
  return (runId, table, row) => {
    const statement = statements.get(table.name) ?? database.prepare(upsertSql(table))
    statements.set(table.name, statement)
    statement.run(...toValues(table, runId, row))
  }
}

/** Writes the row that an event folds into its table; other events are kept in the log alone. */
function project(event: JobEvent, write: <R>(table: Table<R>, row: R) => void): void {
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
