/** @file The store as a reader of events: keeps them and folds them into the tables, a batch a transaction. */
import type { Database } from 'better-sqlite3'
import type { JobEvent } from '../../contract/events.ts'
import type { SealedReply } from '../../contract/rows.ts'
import type { Sink } from '../../contract/job.ts'
import { createRunWriter } from './runs.ts'
import {
  ARTIFACT,
  BENCHMARK,
  CELL,
  CHECKPOINT,
  EVALUATION,
  METRIC,
  REPLY_ROW,
  SEALED_REPLY,
  SPECTRUM,
  SUBJECT_IDENTITY,
  toValues,
  upsertSql,
  VERDICT,
  type Table,
} from './tables.ts'

/** A commit costs about as much as this many inserts. */
const BATCH = 256

/** After these a reader, or a resumed job, must find everything that was said. */
const FLUSH_AFTER: ReadonlySet<JobEvent['type']> = new Set([
  'job-start',
  'job-resume',
  'evaluation-end',
  'checkpoint',
  'artifact',
  'cell',
  'job-end',
])

type Pending = { event: JobEvent } | { runId: string; sealed: SealedReply }

/** `guard` translates the database's errors. What could not be written stays pending and is tried again. */
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
  const project = createProjection(database)
  const seal = createUpsert(database, SEALED_REPLY)
  return (entry) => {
    if ('sealed' in entry) return seal(entry.runId, entry.sealed)
    const { runId, seq, at, type, ...body } = entry.event
    const isNew = keep.run(runId, seq, at, type, JSON.stringify(body)).changes === 1
    // A log that is replayed twice must not undo what came later in it.
    if (!isNew) return
    writeRun(entry.event)
    project(entry.event)
  }
}

function createUpsert<R>(database: Database, table: Table<R>): (runId: string, row: R) => void {
  const statement = database.prepare(upsertSql(table))
  return (runId, row) => {
    statement.run(...toValues(table, runId, row))
  }
}

/** Rows travel as events; this is where each lands. */
function createProjection(database: Database): (event: JobEvent) => void {
  const benchmark = createUpsert(database, BENCHMARK)
  const subject = createUpsert(database, SUBJECT_IDENTITY)
  const metric = createUpsert(database, METRIC)
  const reply = createUpsert(database, REPLY_ROW)
  const verdict = createUpsert(database, VERDICT)
  const spectrum = createUpsert(database, SPECTRUM)
  const evaluation = createUpsert(database, EVALUATION)
  const checkpoint = createUpsert(database, CHECKPOINT)
  const artifact = createUpsert(database, ARTIFACT)
  const cell = createUpsert(database, CELL)
  return (event) => {
    switch (event.type) {
      case 'benchmark':
        return benchmark(event.runId, event.row)
      case 'subject':
        return subject(event.runId, event.row)
      case 'metric':
        return metric(event.runId, event.row)
      case 'reply':
        return reply(event.runId, event.row)
      case 'verdict':
        return verdict(event.runId, event.row)
      case 'spectrum':
        return spectrum(event.runId, event.row)
      case 'artifact':
        return artifact(event.runId, event.row)
      case 'cell':
        return cell(event.runId, event.row)
      case 'evaluation-end': {
        const { subject: key, benchmark: name, samples } = event
        return evaluation(event.runId, { ...key, benchmark: name, samples })
      }
      case 'checkpoint':
        return checkpoint(event.runId, {
          ...event.subject,
          path: event.path,
          digest: event.digest,
        })
    }
  }
}
