/**
 * @file The one database of a folder: an append-only log of events, and tables that are the log's fold.
 *
 * Only this room imports better-sqlite3. WAL with synchronous=FULL: neither a killed process nor a power cut loses
 * what was committed. It must be so, because a saved training state, which is written after its rows, says that
 * they need not be told again.
 */
import Database from 'better-sqlite3'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  UNBLINDED,
  type AuditRows,
  type FinishedEvaluation,
  type RunRow,
  type Unblinding,
} from '../../contract/audit-rows.ts'
import type { JobEvent } from '../../contract/events.ts'
import type { SealedReply } from '../../contract/rows.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Sink } from '../../contract/job.ts'
import { evidenceOf, type EvidenceStore } from './evidence.ts'
import { migrate } from './migrations.ts'
import { pagesOf, type Pages } from './pages.ts'
import { RUN_SELECT, toRunRow, type RunColumns } from './runs.ts'
import { createSink } from './sink.ts'
import {
  ARTIFACT,
  BENCHMARK,
  CELL,
  CHECKPOINT,
  EVALUATION,
  fromColumns,
  METRIC,
  REPLY_ROW,
  SEALED_REPLY,
  selectSql,
  SPECTRUM,
  SUBJECT_IDENTITY,
  VERDICT,
  type Table,
  type Value,
} from './tables.ts'
import { translated } from './translated.ts'

/** Synchronous; plain rows in, plain rows out. */
export interface Store {
  readonly sink: Required<Sink>
  run(runId: string): RunRow | undefined
  /** Oldest first. */
  runs(): RunRow[]
  /** Of the runs that have not ended the one that said something last: if anything is being written, it is this. */
  latestOpen(): string | undefined
  /** 0 where the run is unknown. */
  lastSeq(runId: string): number
  /** In order of `seq`, beginning after `afterSeq`. */
  events(runId: string, afterSeq?: number): JobEvent[]
  rows(runId: string): AuditRows
  finishedEvaluations(runId: string): FinishedEvaluation[]
  /** Replies to prompts that should be refused. For `--unblind` alone; nothing that is shown may come from here. */
  sealed(runId: string): SealedReply[]
  readonly evidence: EvidenceStore
  /** Long tables a page at a time, without sealed replies. */
  readonly pages: Pages
  /** A whole and consistent copy at `path`, where nothing may be yet. */
  copyTo(path: string): void
  /** Everything that is known of a run, for good. */
  removeRun(runId: string): void
  close(): void
}

export function openStore(path: string): Store {
  const database = translated(path, () => openDatabase(path))
  const sink = createSink(database, (action) => translated(path, action))
  const reading = <T>(action: () => T): T =>
    translated(path, () => {
      sink.flush()
      return action()
    })

  const all = <R>(table: Table<R>, runId: string): R[] =>
    (database.prepare(selectSql(table)).all(runId) as Record<string, Value>[]).map((columns) =>
      fromColumns(table, columns),
    )
  const findRun = (runId: string) => {
    const columns = database.prepare(`${RUN_SELECT} WHERE id = ?`).get(runId)
    return columns === undefined ? undefined : toRunRow(columns as RunColumns)
  }

  const evidence = evidenceOf(database, reading)

  return {
    sink,
    run: (runId) => reading(() => findRun(runId)),
    runs: () =>
      reading(() => {
        const rows = database.prepare(`${RUN_SELECT} ORDER BY started_at, id`).all()
        return (rows as RunColumns[]).map(toRunRow)
      }),
    latestOpen: () =>
      reading(() => database.prepare(LATEST_OPEN).pluck().get() as string | undefined),
    lastSeq: (runId) => reading(() => lastSeqOf(database, runId)),
    events: (runId, afterSeq = 0) => reading(() => eventsOf(database, runId, afterSeq)),
    rows: (runId) =>
      reading(() => {
        const run = findRun(runId)
        if (!run) throw new TouchstoneError('run.not-found', { run: runId, where: path })
        return {
          run,
          measuredUntil: measuredUntil(database, runId) ?? run.startedAt,
          benchmarks: all(BENCHMARK, runId),
          subjects: all(SUBJECT_IDENTITY, runId),
          replies: all(REPLY_ROW, runId),
          verdicts: all(VERDICT, runId),
          metrics: all(METRIC, runId),
          spectra: all(SPECTRUM, runId),
          evaluations: all(EVALUATION, runId),
          checkpoints: all(CHECKPOINT, runId),
          artifacts: all(ARTIFACT, runId),
          ...unblindingsOf(database, runId),
          ...labelledIn(evidence, runId),
          cells: all(CELL, runId),
        }
      }),
    finishedEvaluations: (runId) => reading(() => all(EVALUATION, runId)),
    sealed: (runId) => reading(() => all(SEALED_REPLY, runId)),
    evidence,
    pages: pagesOf(database, reading),
    copyTo: (copy) => reading(() => void database.prepare('VACUUM INTO ?').run(copy)),
    removeRun: (runId) =>
      reading(() => void database.prepare('DELETE FROM run WHERE id = ?').run(runId)),
    close: () => sink.close(),
  }
}

function openDatabase(path: string): Database.Database {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true })
  const database = new Database(path, { timeout: 5000 })
  try {
    database.pragma('journal_mode = WAL')
    database.pragma('synchronous = FULL')
    const health = database.pragma('quick_check(1)', { simple: true })
    if (health !== 'ok') {
      throw new TouchstoneError('store.unreadable', { path, why: String(health) })
    }
    migrate(database, path)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

const LATEST_OPEN = `SELECT id FROM run WHERE outcome IS NULL
  ORDER BY (SELECT at FROM event WHERE run_id = id ORDER BY seq DESC LIMIT 1) DESC LIMIT 1`

function lastSeqOf(database: Database.Database, runId: string): number {
  const row = database.prepare('SELECT max(seq) AS seq FROM event WHERE run_id = ?').get(runId)
  return (row as { seq: number | null }).seq ?? 0
}

function measuredUntil(database: Database.Database, runId: string): number | null {
  const row = database
    .prepare(
      `SELECT max(at) AS at FROM event
       WHERE run_id = ? AND type IN ('reply', 'verdict', 'metric', 'spectrum', 'evaluation-end', 'cell')`,
    )
    .get(runId)
  return (row as { at: number | null }).at
}

function unblindingsOf(database: Database.Database, runId: string): { unblinded?: Unblinding[] } {
  const rows = database
    .prepare(
      `SELECT at, body_json ->> '$.message' AS message FROM event
       WHERE run_id = ? AND type = 'log' AND substr(body_json ->> '$.message', 1, ?) = ? ORDER BY seq`,
    )
    .all(runId, UNBLINDED.length, UNBLINDED) as { at: number; message: string }[]
  const unblinded = rows.map(({ at, message }) => ({ at, reason: message.slice(UNBLINDED.length) }))
  return unblinded.length === 0 ? {} : { unblinded }
}

function labelledIn(evidence: EvidenceStore, runId: string): Pick<AuditRows, 'labelled'> {
  const labels = evidence.labels(runId)
  return labels.length === 0 ? {} : { labelled: { items: evidence.labelItems(runId), labels } }
}

function eventsOf(database: Database.Database, runId: string, afterSeq: number): JobEvent[] {
  const rows = database
    .prepare('SELECT seq, at, type, body_json FROM event WHERE run_id = ? AND seq > ? ORDER BY seq')
    .all(runId, afterSeq) as { seq: number; at: number; type: string; body_json: string }[]
  return rows.map(
    ({ seq, at, type, body_json }) =>
      ({ runId, seq, at, type, ...(JSON.parse(body_json) as object) }) as JobEvent,
  )
}
