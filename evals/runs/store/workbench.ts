/**
 * @file What the workbench keeps beside runs: the user's names, notes and tags, models that were added, settings, and jobs
 * that wait. A file of its own, because runs may lie in folders that another program writes to.
 */
import Database from 'better-sqlite3'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { migrate } from './migrations.ts'
import { translated } from './translated.ts'

export const WORKBENCH_FILE = 'workbench.db'

/** Append only, as `MIGRATIONS` is. */
const HISTORY: readonly string[] = [
  `CREATE TABLE note (
     run_id TEXT PRIMARY KEY, name TEXT, note TEXT NOT NULL, tags_json TEXT NOT NULL, deleted_at INTEGER
   ) STRICT;
   CREATE TABLE model (path TEXT PRIMARY KEY, added_at INTEGER NOT NULL) STRICT;
   CREATE TABLE setting (name TEXT PRIMARY KEY, value_json TEXT NOT NULL) STRICT;
   CREATE TABLE waiting (
     run_id TEXT PRIMARY KEY, request_json TEXT NOT NULL, asked_at INTEGER NOT NULL
   ) STRICT;`,
  `CREATE TABLE summary (run_id TEXT PRIMARY KEY, made_of TEXT NOT NULL, body_json TEXT NOT NULL) STRICT;`,
  `ALTER TABLE waiting ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
   UPDATE waiting SET place = rowid;`,
]

export interface StoredNote {
  readonly name: string | null
  readonly note: string
  readonly tags: readonly string[]
  /** Milliseconds since 1970; null for a run that is not deleted. */
  readonly deletedAt: number | null
}

export const NO_NOTE: StoredNote = { name: null, note: '', tags: [], deletedAt: null }

export interface Workbench {
  note(runId: string): StoredNote
  keepNote(runId: string, note: StoredNote): void
  forget(runId: string): void
  /** What was kept under the same `madeOf`, of which it was computed. */
  summary(runId: string, madeOf: string): unknown
  keepSummary(runId: string, madeOf: string, summary: unknown): void
  /** In the order in which they were added. */
  models(): string[]
  addModel(path: string): void
  removeModel(path: string): void
  settings(): Readonly<Record<string, unknown>>
  set(name: string, value: unknown): void
  /** In the order in which they will run. */
  waiting(): { runId: string; request: unknown; askedAt: number }[]
  /** At the end of the queue. */
  keepWaiting(runId: string, request: unknown, askedAt: number): void
  /** The whole queue in its new order. */
  placeWaiting(runIds: readonly string[]): void
  dropWaiting(runId: string): void
  /** A whole copy at `path`. */
  copyTo(path: string): void
  close(): void
}

export function openWorkbench(folder: string): Workbench {
  const path = join(folder, WORKBENCH_FILE)
  const guard = <T>(action: () => T): T => translated(path, action)
  const database = guard(() => {
    mkdirSync(folder, { recursive: true })
    const opened = new Database(path, { timeout: 5000 })
    opened.pragma('journal_mode = WAL')
    opened.pragma('synchronous = FULL')
    migrate(opened, path, HISTORY)
    return opened
  })
  const all = (sql: string, ...values: unknown[]) =>
    guard(() => database.prepare(sql).all(...values)) as Record<string, string | number | null>[]
  const write = (sql: string, ...values: unknown[]): void => {
    guard(() => database.prepare(sql).run(...values))
  }
  return {
    note(runId) {
      const [row] = all('SELECT * FROM note WHERE run_id = ?', runId)
      return row === undefined ? NO_NOTE : toNote(row)
    },
    keepNote: (runId, { name, note, tags, deletedAt }) =>
      write(
        `INSERT INTO note VALUES (?, ?, ?, ?, ?) ON CONFLICT (run_id) DO UPDATE SET
         name = excluded.name, note = excluded.note, tags_json = excluded.tags_json, deleted_at = excluded.deleted_at`,
        ...[runId, name, note, JSON.stringify(tags), deletedAt],
      ),
    forget(runId) {
      write('DELETE FROM note WHERE run_id = ?', runId)
      write('DELETE FROM summary WHERE run_id = ?', runId)
    },
    summary(runId, madeOf) {
      const [row] = all('SELECT * FROM summary WHERE run_id = ? AND made_of = ?', runId, madeOf)
      return row && (JSON.parse(`${row['body_json']}`) as unknown)
    },
    keepSummary: (runId, madeOf, summary) =>
      write(
        'INSERT OR REPLACE INTO summary VALUES (?, ?, ?)',
        ...[runId, madeOf, JSON.stringify(summary)],
      ),
    models: () =>
      all('SELECT path FROM model ORDER BY added_at, path').map(({ path: p }) => `${p}`),
    addModel: (model) =>
      write('INSERT INTO model VALUES (?, ?) ON CONFLICT DO NOTHING', model, Date.now()),
    removeModel: (model) => write('DELETE FROM model WHERE path = ?', model),
    settings: () =>
      Object.fromEntries(
        all('SELECT * FROM setting').map(({ name, value_json: value }) => [
          `${name}`,
          JSON.parse(`${value}`) as unknown,
        ]),
      ),
    set: (name, value) =>
      write(
        `INSERT INTO setting VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value_json = excluded.value_json`,
        ...[name, JSON.stringify(value)],
      ),
    waiting: () =>
      all('SELECT * FROM waiting ORDER BY place, rowid').map((row) => ({
        runId: `${row['run_id']}`,
        request: JSON.parse(`${row['request_json']}`) as unknown,
        askedAt: Number(row['asked_at']),
      })),
    keepWaiting: (runId, request, askedAt) =>
      write(
        'INSERT INTO waiting SELECT ?, ?, ?, ifnull(max(place), 0) + 1 FROM waiting',
        ...[runId, JSON.stringify(request), askedAt],
      ),
    placeWaiting: (runIds) =>
      write(
        'UPDATE waiting SET place = json_each.key FROM json_each(?) WHERE run_id = json_each.value',
        JSON.stringify(runIds),
      ),
    dropWaiting: (runId) => write('DELETE FROM waiting WHERE run_id = ?', runId),
    copyTo: (copy) => write('VACUUM INTO ?', copy),
    close: () => database.close(),
  }
}

const toNote = (row: Record<string, string | number | null>): StoredNote => ({
  name: row['name'] === null ? null : `${row['name']}`,
  note: `${row['note']}`,
  tags: JSON.parse(`${row['tags_json']}`) as string[],
  deletedAt: row['deleted_at'] === null ? null : Number(row['deleted_at']),
})
