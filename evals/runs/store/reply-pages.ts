/** @file Replies with their verdicts, a page at a time. Nothing here reads sealed replies. */
import type { Database } from 'better-sqlite3'
import type { SampleRow } from '../../contract/calls/samples.ts'
import type { Outcome, SubjectKey } from '../../contract/rows.ts'
import { fromColumns, TABLES, type Columns } from './tables.ts'

export type State = SubjectKey & { readonly runId: string }

export interface SampleQuery extends State {
  /** Null does not filter. */
  readonly benchmark: string | null
  readonly outcome: Outcome | null
  readonly judge: string | null
  readonly category: string | null
  /** Empty does not filter. */
  readonly search: string
  readonly offset: number
  readonly limit: number
}

/** One state's replies to one benchmark as one judge called them, in the order of the prompts' ids. */
export interface JudgedReplies {
  /** By which a prompt of another state is known to be the same: id, epoch and text. */
  readonly keys: readonly string[]
  readonly outcomes: readonly Outcome[]
  /** Rowids of the replies. */
  readonly ids: Float64Array
}

export type JudgedReply = SampleRow & { readonly outcome: Outcome }

const REPLY_KEY = ['run_id', 'arm', 'seed', 'step', 'benchmark', 'sample_id', 'epoch'] as const
const sameReply = (a: string, b: string) =>
  REPLY_KEY.map((column) => `${a}.${column} = ${b}.${column}`).join(' AND ')

/**
 * Which rows a query finds is found once, in order, and kept until its run says more. A page then costs what its own rows cost,
 * wherever it lies; `OFFSET` would walk over everything before it, and a count over everything.
 */
export function replyPages(database: Database) {
  const lastSeq = database.prepare('SELECT max(seq) FROM event WHERE run_id = ?').pluck()
  const samples = createFinder(
    (query: Filters) => findSamples(database, query),
    ({ runId }) => lastSeq.get(runId),
  )
  return {
    samples(query: SampleQuery): { total: number; rows: SampleRow[] } {
      const { offset, limit, ...filters } = query
      const found = samples(filters)
      const rows = samplesAt(database, found.subarray(offset, offset + limit))
      return { total: found.length, rows }
    },
    judged: (state: State, asked: JudgedQuery) => findJudged(database, state, asked),
    judgedAt: (ids: Float64Array, judge: string) => judgedAt(database, ids, judge),
  }
}

const MOST_KEPT = 8

/** `find`, with its latest answers kept while what they were made of is the same. */
export function createFinder<Q, F>(find: (query: Q) => F, madeOf: (query: Q) => unknown) {
  const kept = new Map<string, F>()
  return (query: Q): F => {
    const key = JSON.stringify([query, madeOf(query)])
    const found = kept.get(key) ?? find(query)
    // The one used last stands last, and the first is the one to forget.
    kept.delete(key)
    kept.set(key, found)
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!)
    return found
  }
}

type Filters = Omit<SampleQuery, 'offset' | 'limit'>

/** The rowids of replies, in the order in which they are shown. */
function findSamples(database: Database, query: Filters): Float64Array {
  const { sql, values } = conditionsOf(query)
  const order = 'ORDER BY r.benchmark, r.sample_id, r.epoch'
  const ids = database.prepare(`SELECT r.rowid FROM reply AS r WHERE ${sql} ${order}`).pluck()
  return Float64Array.from(ids.all(...values) as number[])
}

function samplesAt(database: Database, ids: Float64Array): SampleRow[] {
  const reply = database.prepare('SELECT * FROM reply WHERE rowid = ?')
  const verdicts = database.prepare(
    `SELECT judge, outcome, score, reason, thought_outcome_json ->> '$' AS thoughtOutcome FROM verdict
     WHERE ${REPLY_KEY.map((column) => `${column} = ?`).join(' AND ')} ORDER BY judge`,
  )
  return [...ids].map((id) => {
    const columns = reply.get(id) as Columns
    const outcomes = verdicts.all(...REPLY_KEY.map((column) => columns[column]))
    return {
      ...fromColumns(TABLES.reply, columns),
      outcomes: outcomes as SampleRow['outcomes'],
    }
  })
}

function conditionsOf(query: Filters): { sql: string; values: unknown[] } {
  const { runId, arm, seed, step, benchmark, category, search, outcome, judge } = query
  const parts = ['r.run_id = ? AND r.arm = ? AND r.seed = ? AND r.step = ?']
  const values: unknown[] = [runId, arm, seed, step]
  const add = (sql: string, ...given: unknown[]) => {
    parts.push(sql)
    values.push(...given)
  }
  if (benchmark !== null) add('r.benchmark = ?', benchmark)
  if (category !== null) add('r.category = ?', category)
  if (search !== '') add(`r.prompt LIKE ? ESCAPE '\\'`, like(search))
  if (outcome !== null) {
    const judged = judge === null ? '' : ' AND v.judge = ?'
    const found = `SELECT 1 FROM verdict AS v WHERE ${sameReply('v', 'r')} AND v.outcome = ?${judged}`
    add(`EXISTS (${found})`, outcome, ...(judge === null ? [] : [judge]))
  }
  return { sql: parts.join(' AND '), values }
}

/** The text itself, wherever it stands. */
const like = (text: string) => `%${text.replaceAll(/[\\%_]/g, (letter) => `\\${letter}`)}%`

const JUDGED = `SELECT r.rowid, v.sample_id, v.epoch, r.prompt, v.outcome FROM verdict AS v
  JOIN reply AS r ON ${sameReply('r', 'v')}
  WHERE v.run_id = ? AND v.arm = ? AND v.seed = ? AND v.step = ? AND v.benchmark = ? AND v.judge = ?
  AND (? IS NULL OR r.category = ?) AND r.prompt LIKE ? ESCAPE '\\'
  ORDER BY v.sample_id, v.epoch`

export interface JudgedQuery {
  readonly benchmark: string
  readonly judge: string
  /** Null and empty do not filter. */
  readonly category: string | null
  readonly search: string
}

function findJudged(
  database: Database,
  { runId, arm, seed, step }: State,
  { benchmark, judge, category, search }: JudgedQuery,
): JudgedReplies {
  const asked = [runId, arm, seed, step, benchmark, judge, category, category, like(search)]
  const rows = database
    .prepare(JUDGED)
    .raw()
    .all(...asked)
  const found = rows as [number, string, number, string, Outcome][]
  return {
    keys: found.map(([, id, epoch, prompt]) => `${id}\u0000${epoch}\u0000${prompt}`),
    outcomes: found.map(([, , , , outcome]) => outcome),
    ids: Float64Array.from(found, ([rowid]) => rowid),
  }
}

const judgedAt = (database: Database, ids: Float64Array, judge: string): JudgedReply[] =>
  samplesAt(database, ids).map((row) => ({
    ...row,
    outcome: row.outcomes.find((each) => each.judge === judge)!.outcome,
  }))
