/** @file The store's event sink: appends events to the log and folds them into the tables, one transaction a batch. */
import type { Database, Statement } from 'better-sqlite3'
import type { JobEvent } from '../../contract/events.ts'
import type { SealedReply } from '../../contract/rows.ts'
import type { Sink } from '../../contract/job.ts'
import { createChains, sealSum } from './integrity.ts'
import { project } from './project.ts'
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
  const chains = createChains(database)
  const write = createWriter(database, chains)
  const writeAll = database.transaction((batch: readonly Pending[]) => {
    batch.forEach(write)
    chains.keep()
  })

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

const KEEP_SUM = `UPDATE sealed_reply SET sum = ? WHERE run_id = ? AND arm = ? AND seed = ? AND step = ?
  AND benchmark = ? AND sample_id = ? AND epoch = ?`

function createWriter(
  database: Database,
  chains: ReturnType<typeof createChains>,
): (entry: Pending) => void {
  const keepSum = database.prepare(KEEP_SUM)
  const keep = database.prepare(
    `INSERT INTO event (run_id, seq, at, type, body_json) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (run_id, seq) DO NOTHING`,
  )
  const writeRun = createRunWriter(database)
  const upsert = createUpsert(database)
  return (entry) => {
    if ('sealed' in entry) {
      const { runId, sealed } = entry
      upsert(runId, TABLES.sealedReply, sealed)
      const { arm, seed, step, benchmark, sampleId, epoch } = sealed
      keepSum.run(sealSum(runId, sealed), runId, arm, seed, step, benchmark, sampleId, epoch)
      return
    }
    const { runId, seq, at, type, ...body } = entry.event
    const logged = { seq, at, type, body_json: JSON.stringify(body) }
    const isNew = keep.run(runId, seq, at, type, logged.body_json).changes === 1
    // Replaying a log a second time must not undo its later events.
    if (!isNew) return
    writeRun(entry.event)
    chains.add(runId, logged)
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
