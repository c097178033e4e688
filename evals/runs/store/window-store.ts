/**
 * @file The window's own database, `workbench.db`: names, notes and tags of runs, added models, settings, and waiting jobs. It is
 * apart from the runs, whose folders another program may write to.
 */
import { join } from 'node:path'
import { migrate } from './migrations.ts'
import { prepared } from './prepared.ts'
import { copyPrivately, openPrivately } from './private-database.ts'
import { translated } from './translated.ts'

export const WINDOW_FILE = 'workbench.db'

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
  `CREATE TABLE sending (at INTEGER NOT NULL, host TEXT NOT NULL, reason TEXT NOT NULL) STRICT;`,
]

export interface StoredNote {
  readonly name: string | null
  readonly note: string
  readonly tags: readonly string[]
  /** Milliseconds since 1970; null for a run that is not deleted. */
  readonly deletedAt: number | null
}

export const NO_NOTE: StoredNote = { name: null, note: '', tags: [], deletedAt: null }

interface Notes {
  note(runId: string): StoredNote
  /** By run; a run without one is missing. */
  notes(): ReadonlyMap<string, StoredNote>
  keepNote(runId: string, note: StoredNote): void
  /** Deletes the note and the summary of a run. */
  forget(runId: string): void
  /** The summary stored under the same `madeOf`, which identifies what it was computed from. */
  summary(runId: string, madeOf: string): unknown
  keepSummary(runId: string, madeOf: string, summary: unknown): void
}

interface Models {
  /** In the order in which they were added. */
  models(): string[]
  addModel(path: string): void
  removeModel(path: string): void
}

interface Settings {
  settings(): Readonly<Record<string, unknown>>
  set(name: string, value: unknown): void
}

interface Queue {
  /** In the order in which they will run. */
  waiting(): { runId: string; request: unknown; askedAt: number }[]
  /** Appends a job. */
  keepWaiting(runId: string, request: unknown, askedAt: number): void
  /** Reorders the whole queue. */
  placeWaiting(runIds: readonly string[]): void
  dropWaiting(runId: string): void
}

/** Permission that was given to send prompts to another machine. */
interface Sending {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly host: string
  readonly reason: string
}

interface Sendings {
  /** The latest first. */
  sendings(): Sending[]
  /** Nothing is added where the last one of the host has the same reason. */
  keepSending(sending: Sending): void
}

export interface WindowStore extends Notes, Models, Settings, Queue, Sendings {
  /** Writes a whole copy to `path`. */
  copyTo(path: string): void
  close(): void
}

type Columns = Record<string, string | number | null>

interface Statements {
  readonly all: (sql: string, ...values: unknown[]) => Columns[]
  readonly write: (sql: string, ...values: unknown[]) => void
}

export function openWindowStore(folder: string): WindowStore {
  const path = join(folder, WINDOW_FILE)
  const guard = <T>(action: () => T): T => translated(path, action)
  const database = guard(() => {
    const opened = openPrivately(path)
    migrate(opened.database, path, HISTORY)
    opened.keepPrivate()
    return opened.database
  })
  const statements: Statements = {
    all: (sql, ...values) => guard(() => prepared(database, sql).all(...values)) as Columns[],
    write: (sql, ...values) => void guard(() => prepared(database, sql).run(...values)),
  }
  return {
    ...notesIn(statements),
    ...modelsIn(statements),
    ...settingsIn(statements),
    ...queueIn(statements),
    ...sendingsIn(statements),
    copyTo: (copy) => guard(() => copyPrivately(database, copy)),
    close: () => database.close(),
  }
}

function notesIn({ all, write }: Statements): Notes {
  return {
    note(runId) {
      const [row] = all('SELECT * FROM note WHERE run_id = ?', runId)
      return row === undefined ? NO_NOTE : toNote(row)
    },
    notes: () => new Map(all('SELECT * FROM note').map((row) => [`${row['run_id']}`, toNote(row)])),
    keepNote: (runId, { name, note, tags, deletedAt }) =>
      write(
        `INSERT INTO note VALUES (?, ?, ?, ?, ?) ON CONFLICT (run_id) DO UPDATE SET
         name = excluded.name, note = excluded.note, tags_json = excluded.tags_json, deleted_at = excluded.deleted_at`,
        runId,
        name,
        note,
        JSON.stringify(tags),
        deletedAt,
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
        runId,
        madeOf,
        JSON.stringify(summary),
      ),
  }
}

function modelsIn({ all, write }: Statements): Models {
  return {
    models: () =>
      all('SELECT path FROM model ORDER BY added_at, path').map(({ path: p }) => `${p}`),
    addModel: (model) =>
      write('INSERT INTO model VALUES (?, ?) ON CONFLICT DO NOTHING', model, Date.now()),
    removeModel: (model) => write('DELETE FROM model WHERE path = ?', model),
  }
}

function settingsIn({ all, write }: Statements): Settings {
  return {
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
        name,
        JSON.stringify(value),
      ),
  }
}

function queueIn({ all, write }: Statements): Queue {
  return {
    waiting: () =>
      all('SELECT * FROM waiting ORDER BY place, rowid').map((row) => ({
        runId: `${row['run_id']}`,
        request: JSON.parse(`${row['request_json']}`) as unknown,
        askedAt: Number(row['asked_at']),
      })),
    keepWaiting: (runId, request, askedAt) =>
      write(
        'INSERT INTO waiting SELECT ?, ?, ?, ifnull(max(place), 0) + 1 FROM waiting',
        runId,
        JSON.stringify(request),
        askedAt,
      ),
    placeWaiting: (runIds) =>
      write(
        'UPDATE waiting SET place = json_each.key FROM json_each(?) WHERE run_id = json_each.value',
        JSON.stringify(runIds),
      ),
    dropWaiting: (runId) => write('DELETE FROM waiting WHERE run_id = ?', runId),
  }
}

function sendingsIn({ all, write }: Statements): Sendings {
  const sendings = () =>
    all('SELECT * FROM sending ORDER BY rowid DESC').map(({ at, host, reason }) => ({
      at: Number(at),
      host: `${host}`,
      reason: `${reason}`,
    }))
  return {
    sendings,
    keepSending({ at, host, reason }) {
      const last = sendings().find((row) => row.host === host)
      if (last?.reason !== reason) write('INSERT INTO sending VALUES (?, ?, ?)', at, host, reason)
    },
  }
}

const toNote = (row: Columns): StoredNote => ({
  name: row['name'] === null ? null : `${row['name']}`,
  note: `${row['note']}`,
  tags: JSON.parse(`${row['tags_json']}`) as string[],
  deletedAt: row['deleted_at'] === null ? null : Number(row['deleted_at']),
})
