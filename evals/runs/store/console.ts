/**
 * @file SQL that only reads. The file is opened read-only; one statement is taken, and the program that SQLite compiles it to is
 * looked at before it runs: where it opens the table of withheld replies, or anything that is no plain table, it is refused.
 */
import Database from 'better-sqlite3'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { translated } from './translated.ts'

export interface Answered {
  readonly columns: string[]
  readonly rows: (string | number | null)[][]
  readonly isCut: boolean
}

/** Replies to prompts that should be refused, by every name that reaches them. */
const WITHHELD = 'sealed_reply'
const ANSWERED = new Set(['select', 'with', 'values', 'explain'])
const LONGEST_CELL = 10_000
const MOST_CHARACTERS = 4_000_000

export function readOnly(path: string, sql: string, limit: number): Answered {
  const database = openReadOnly(path)
  try {
    return answered(database, sql, limit)
  } catch (error) {
    // What SQLite finds only while it runs: JSON that is none, a function that is not allowed.
    const { code, message } = error as { code?: unknown; message: string }
    throw code === 'SQLITE_ERROR' ? refused(message) : error
  } finally {
    database.close()
  }
}

/** What may be asked for; the withheld replies are not named. */
export function tablesOf(path: string): { name: string; columns: string[]; rows: number }[] {
  const database = openReadOnly(path)
  try {
    const tables = database
      .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> ? ORDER BY name`)
      .all(WITHHELD) as { name: string }[]
    return tables.map(({ name }) => {
      const statement = database.prepare(`SELECT * FROM "${name}" LIMIT 0`)
      const { n } = database.prepare(`SELECT count(*) AS n FROM "${name}"`).get() as { n: number }
      return { name, columns: statement.columns().map((column) => column.name), rows: n }
    })
  } finally {
    database.close()
  }
}

const openReadOnly = (path: string) =>
  translated(path, () => new Database(path, { readonly: true, fileMustExist: true, timeout: 1000 }))

function answered(database: Database.Database, sql: string, limit: number): Answered {
  const statement = compiled(database, sql)
  refuseWithheld(database, sql)
  const columns = statement.columns().map(({ name }) => name)
  const rows: Answered['rows'] = []
  let characters = 0
  for (const row of statement.raw().iterate() as Iterable<unknown[]>) {
    if (rows.length === limit || characters > MOST_CHARACTERS) return { columns, rows, isCut: true }
    const cells = row.map(cellOf)
    characters += cells.reduce<number>((sum, cell) => sum + String(cell).length, 0)
    rows.push(cells)
  }
  return { columns, rows, isCut: false }
}

const refused = (why: string) => new TouchstoneError('sql.refused', { why })

/** The first word after any comments. */
const firstWord = (sql: string): string =>
  /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?<word>[a-z]+)/iu
    .exec(sql)
    ?.groups!['word']!.toLowerCase() ?? ''

function compiled(database: Database.Database, sql: string): Database.Statement {
  if (!ANSWERED.has(firstWord(sql))) {
    throw refused('only SELECT, WITH, VALUES and EXPLAIN are answered')
  }
  let statement: Database.Statement
  try {
    statement = database.prepare(sql)
  } catch (error) {
    throw refused((error as Error).message)
  }
  if (!statement.reader || !statement.readonly) throw refused('it would write')
  return statement
}

interface Opcode {
  opcode: string
  p2: number
  p3: number
}

/** A virtual table could show pages as they lie in the file; these show what they are given. */
const OPENS = /^Open(?:Read|Write|Dup)$|^Reopen/u
const HARMLESS = new Set(['json_each', 'json_tree'])

function refuseWithheld(database: Database.Database, sql: string): void {
  if (sql.toLowerCase().includes(WITHHELD)) throw refused(WORDS)
  // EXPLAIN of an EXPLAIN is none; what it explains runs nothing.
  if (firstWord(sql) === 'explain') return
  const roots = new Set(
    (
      database
        .prepare('SELECT rootpage FROM sqlite_schema WHERE tbl_name = ? COLLATE NOCASE')
        .all(WITHHELD) as { rootpage: number }[]
    ).map(({ rootpage }) => rootpage),
  )
  const program = database.prepare(`EXPLAIN ${sql}`).all() as Opcode[]
  for (const { opcode, p2, p3 } of program) {
    if (OPENS.test(opcode) && p3 === 0 && roots.has(p2)) throw refused(WORDS)
    if (opcode === 'VOpen' && !usesHarmless(sql)) throw refused('it reads a virtual table')
  }
}

const WORDS = 'replies to prompts that should be refused are kept apart'

/** Which virtual tables a statement opens is not in its program, so any name that is not one of ours is refused with it. */
function usesHarmless(sql: string): boolean {
  const called = [...sql.matchAll(/\b(?<name>[a-z_]\w*)\s*\(/giu)].map(({ groups }) =>
    groups!['name']!.toLowerCase(),
  )
  const hidden = /\b(?:pragma_|dbstat|sqlite_dbpage|sqlite_stmt|bytecode|tables_used|fts)/iu
  return !hidden.test(sql) && called.some((name) => HARMLESS.has(name))
}

function cellOf(value: unknown): string | number | null {
  if (value === null || typeof value === 'number') return value
  if (value instanceof Uint8Array) return `(${value.length} bytes)`
  const text = `${value as string}`
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL)}…` : text
}
