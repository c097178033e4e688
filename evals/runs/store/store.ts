/**
 * @file The database of a folder: an append-only log of events, and tables that are folded from it.
 *
 * Only this room imports better-sqlite3. WAL with synchronous=FULL keeps committed rows through a killed process and a power
 * cut. A resumed job relies on that: it does not emit the rows again that precede a saved training state.
 */
import type Database from 'better-sqlite3'
import type {
  AuditRows,
  FinishedEvaluation,
  RunRow,
  WeightsRow,
} from '../../contract/audit-rows.ts'
import type { EventType, JobEvent } from '../../contract/events.ts'
import { replyKey } from '../../contract/keys.ts'
import type { ReplyKey, ReplyRow, SealedReply } from '../../contract/rows.ts'
import { sha256, wordingDigest } from '../../files/digest.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Sink } from '../../contract/job.ts'
import { evidenceOf, type EvidenceStore } from './evidence.ts'
import { eventsOf } from './events.ts'
import { changesIn } from './integrity.ts'
import { earlierLooks } from './looked.ts'
import { migrate } from './migrations.ts'
import { prepared } from './prepared.ts'
import { copyPrivately, openPrivately } from './private-database.ts'
import { pagesOf, type Pages } from './pages.ts'
import { createSink } from './sink.ts'
import { fromColumns, RUN, selectSql, TABLES, type Table, type Columns } from './tables.ts'
import { translated } from './translated.ts'

/** Synchronous; plain rows in, plain rows out. */
/** Changes whenever a run's events or labels do. */
export interface Extent {
  readonly seq: number
  readonly labels: number
}

export interface Store {
  /** Files and folders that other users could read until this store was opened. */
  readonly closed: readonly string[]
  readonly sink: Required<Sink>
  run(runId: string): RunRow | undefined
  /** Oldest first. */
  runs(): RunRow[]
  /** The run without an end whose last event is newest: the only one that may still be written. */
  latestOpen(): string | undefined
  /** 0 for an unknown run. */
  lastSeq(runId: string): number
  /** How far each run has been written. */
  extents(): ReadonlyMap<string, Extent>
  /** In order of `seq`, beginning after `afterSeq`. */
  events(runId: string, afterSeq?: number): JobEvent[]
  /** All events of some types, in order of `seq`. */
  eventsOfType<T extends EventType>(
    runId: string,
    ...types: readonly T[]
  ): (JobEvent & { type: T })[]
  rows(runId: string): AuditRows
  finishedEvaluations(runId: string): FinishedEvaluation[]
  /** Runs with a finished evaluation. */
  measuredRuns(): ReadonlySet<string>
  /** Whether it has a finished evaluation, or a reply of a fine-tune. */
  isAsked(runId: string): boolean
  weights(runId: string): WeightsRow[]
  /** Replies to prompts that should be refused. For `unblind` and for judges; nothing that is shown may come from here. */
  sealed(runId: string): SealedReply[]
  /** One of them with its prompt, for who gave a reason. */
  sealedReply(runId: string, key: ReplyKey): { prompt: string; text: string } | undefined
  readonly evidence: EvidenceStore
  /** Long tables a page at a time, without sealed replies. */
  readonly pages: Pages
  /** Writes a whole and consistent copy to `path`, which must not exist. */
  copyTo(path: string): void
  /** Reads and writes of other processes are before `action` or after it. */
  atomically<T>(action: () => T): T
  /** Deletes all rows of a run. */
  removeRun(runId: string): void
  close(): void
}

export function openStore(path: string): Store {
  const { database, closed } = translated(path, () => openDatabase(path))
  const sink = createSink(database, (action) => translated(path, action))
  const reading = <T>(action: () => T): T =>
    translated(path, () => {
      sink.flush()
      return action()
    })
  const evidence = evidenceOf(database, reading)
  return {
    closed,
    sink,
    evidence,
    pages: pagesOf(database, reading),
    run: (runId) => reading(() => findRun(database, runId)),
    runs: () => reading(() => allRuns(database)),
    latestOpen: () =>
      reading(() => database.prepare(LATEST_OPEN).pluck().get() as string | undefined),
    lastSeq: (runId) => reading(() => lastSeqOf(database, runId)),
    extents: () => reading(() => extentsOf(database)),
    events: (runId, afterSeq) => reading(() => eventsOf(database, runId, { afterSeq })),
    eventsOfType: (runId, ...types) => reading(() => eventsOf(database, runId, { types })),
    rows: (runId) =>
      reading(() => {
        const run = findRun(database, runId)
        if (!run) throw new TouchstoneError('run.not-found', { run: runId, where: path })
        return rowsOf(database, run, evidence)
      }),
    ...measuredIn(database, reading),
    weights: (runId) => reading(() => allOf(database, TABLES.weights, runId)),
    ...sealedIn(database, reading),
    atomically: (action) => translated(path, () => database.transaction(action).immediate()),
    copyTo: (copy) => reading(() => copyPrivately(database, copy)),
    removeRun: (runId) =>
      reading(() => void database.prepare('DELETE FROM run WHERE id = ?').run(runId)),
    close: () => sink.close(),
  }
}

function openDatabase(path: string): Pick<Store, 'closed'> & { database: Database.Database } {
  const opened = openPrivately(path)
  const { database } = opened
  try {
    const health = database.pragma('quick_check(1)', { simple: true })
    if (health !== 'ok') {
      throw new TouchstoneError('store.unreadable', { path, why: String(health) })
    }
    migrate(database, path)
    return { database, closed: opened.keepPrivate() }
  } catch (error) {
    database.close()
    throw error
  }
}

const LATEST_OPEN = `SELECT id FROM run WHERE outcome IS NULL
  ORDER BY (SELECT at FROM event WHERE run_id = id ORDER BY seq DESC LIMIT 1) DESC LIMIT 1`

const MEASURED = 'SELECT DISTINCT run_id FROM evaluation'

const ASKED = `SELECT EXISTS (SELECT 1 FROM evaluation WHERE run_id = @runId)
  OR EXISTS (SELECT 1 FROM reply WHERE run_id = @runId AND arm <> 'base')`

function lastSeqOf(database: Database.Database, runId: string): number {
  const row = prepared(database, 'SELECT max(seq) AS seq FROM event WHERE run_id = ?').get(runId)
  return (row as { seq: number | null }).seq ?? 0
}

const EXTENTS = `SELECT id, (SELECT max(seq) FROM event WHERE run_id = id) AS seq,
  (SELECT count(*) FROM label WHERE run_id = id) AS labels FROM run`

function extentsOf(database: Database.Database): Map<string, Extent> {
  const rows = prepared(database, EXTENTS).all() as { id: string; seq: number; labels: number }[]
  return new Map(rows.map(({ id, seq, labels }) => [id, { seq: seq ?? 0, labels }]))
}

function measuredUntil(database: Database.Database, runId: string): number | null {
  const row = database
    .prepare(
      `SELECT max(at) AS at FROM event
       WHERE run_id = ? AND at <= ifnull((SELECT ended_at FROM run WHERE id = run_id), at) AND type IN ('reply', 'verdict', 'metric', 'spectrum', 'evaluation-end', 'cell')`,
    )
    .get(runId)
  return (row as { at: number | null }).at
}

const allRuns = (database: Database.Database): RunRow[] =>
  (database.prepare('SELECT * FROM run ORDER BY started_at, id').all() as Columns[]).map(toRunRow)

function findRun(database: Database.Database, runId: string): RunRow | undefined {
  const columns = database.prepare('SELECT * FROM run WHERE id = ?').get(runId)
  return columns === undefined ? undefined : toRunRow(columns as Columns)
}

const toRunRow = (columns: Columns) => ({ error: null, ...fromColumns(RUN, columns) }) as RunRow

const allOf = <R>(database: Database.Database, table: Table<R>, runId: string): R[] =>
  (prepared(database, selectSql(table)).all(runId) as Columns[]).map((columns) =>
    fromColumns(table, columns),
  )

/** Sealed texts stay here; what leaves is whether two replies are the same. Of a model that is served nothing else tells it from another. */
function digestsOf(
  { replies, subjects }: Pick<AuditRows, 'replies' | 'subjects'>,
  withheld: NonNullable<AuditRows['withheld']>,
): ReadonlyMap<string, string> {
  const isServed = subjects.some(({ served }) => served !== undefined)
  const isAsked = ({ expected: { kind } }: ReplyRow) =>
    isServed || kind === 'refuse' || kind === 'comply'
  return new Map(
    replies.filter(isAsked).flatMap((row): [string, string][] => {
      const text = row.text ?? withheld(row)
      const digest = text === undefined ? row.digest : sha256(text)
      return digest == null ? [] : [[replyKey(row), digest]]
    }),
  )
}

const SEALED_AT = `SELECT reply.prompt, sealed_reply.text FROM sealed_reply
  JOIN reply USING (run_id, arm, seed, step, benchmark, sample_id, epoch)
  WHERE run_id = ? AND arm = ? AND seed = ? AND step = ? AND benchmark = ? AND sample_id = ? AND epoch = ?`

const measuredIn = (
  database: Database.Database,
  reading: <T>(action: () => T) => T,
): Pick<Store, 'finishedEvaluations' | 'measuredRuns' | 'isAsked'> => ({
  finishedEvaluations: (runId) => reading(() => allOf(database, TABLES.evaluation, runId)),
  measuredRuns: () =>
    reading(() => new Set(prepared(database, MEASURED).pluck().all() as string[])),
  isAsked: (runId) => reading(() => prepared(database, ASKED).pluck().get({ runId }) === 1),
})

const sealedIn = (
  database: Database.Database,
  reading: <T>(action: () => T) => T,
): Pick<Store, 'sealed' | 'sealedReply'> => ({
  sealed: (runId) => reading(() => allOf(database, TABLES.sealedReply, runId)),
  sealedReply(runId, { arm, seed, step, benchmark, sampleId, epoch }) {
    const key = [runId, arm, seed, step, benchmark, sampleId, epoch]
    return reading(() => prepared(database, SEALED_AT).get(...key)) as ReturnType<
      Store['sealedReply']
    >
  },
})

const wordingOf = ({ text }: ReplyRow) => (text === null ? undefined : wordingDigest(text))

/** The plan that it began under; a run that was resumed tells the runs before it each time. */
function planIn(told: readonly (JobEvent & { type: 'plan' })[]): AuditRows['begunUnder'] {
  const [first] = told
  return (
    first && { digest: first.digest, earlier: [...new Set(told.flatMap((each) => each.earlier))] }
  )
}

function rowsOf(database: Database.Database, run: RunRow, evidence: EvidenceStore): AuditRows {
  const all = <R>(table: Table<R>) => allOf(database, table, run.id)
  const unblinded = eventsOf(database, run.id, { types: ['unblinded'] })
  const begunUnder = planIn(eventsOf(database, run.id, { types: ['plan'] }))
  const planned = eventsOf(database, run.id, { types: ['planned'] }).at(-1)?.states
  const changed = changesIn(database, run.id)
  const [labels, replies] = [evidence.labels(run.id), all(TABLES.reply)]
  const subjects = all(TABLES.subject)
  const texts = new Map(all(TABLES.sealedReply).map((row) => [replyKey(row), row.text]))
  const withheld = (reply: ReplyKey) => texts.get(replyKey(reply))
  return {
    run,
    measuredUntil: measuredUntil(database, run.id) ?? run.startedAt,
    benchmarks: all(TABLES.benchmark),
    subjects,
    replies,
    withheld,
    replyDigests: digestsOf({ replies, subjects }, withheld),
    wordingOf,
    verdicts: all(TABLES.verdict),
    repeats: all(TABLES.repeat),
    metrics: all(TABLES.metric),
    spectra: all(TABLES.spectrum),
    evaluations: all(TABLES.evaluation),
    checkpoints: all(TABLES.checkpoint),
    artifacts: all(TABLES.artifact),
    weights: all(TABLES.weights),
    cells: all(TABLES.cell),
    ...(unblinded.length > 0 && {
      unblinded: unblinded.map(({ at, reason }) => ({ at, reason })),
    }),
    ...(begunUnder && { begunUnder }),
    ...(planned && { planned }),
    ...earlierLooks(database, run.id),
    ...(changed !== undefined && { changed }),
    ...(labels.length > 0 && { labelled: { items: evidence.labelItems(run.id), labels } }),
  }
}
