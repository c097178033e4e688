/** @file Replies with their verdicts, and two states' replies to the same prompts, a page at a time. Nothing here reads sealed replies. */
import type { Database } from 'better-sqlite3'
import type { PairRow, SampleRow } from '../contract/calls/samples.ts'
import type { Expected, Outcome, SubjectKey } from '../contract/rows.ts'
import { fromColumns, REPLY_ROW, type Value } from './tables.ts'

type State = SubjectKey & { readonly runId: string }

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

export interface PairQuery {
  readonly before: State
  readonly after: State
  readonly benchmark: string
  readonly judge: string
  readonly onlyFlips: boolean
  readonly offset: number
  readonly limit: number
}

type Columns = Record<string, Value>
const REPLY_KEY = ['run_id', 'arm', 'seed', 'step', 'benchmark', 'sample_id', 'epoch'] as const
const sameReply = (a: string, b: string) =>
  REPLY_KEY.map((column) => `${a}.${column} = ${b}.${column}`).join(' AND ')

export function countOf(database: Database, sql: string, ...values: unknown[]): number {
  return (database.prepare(sql).get(...values) as { n: number }).n
}

/**
 * Which rows a query finds is found once, in order, and kept until its run says more. A page then costs what its own rows cost,
 * wherever it lies; `OFFSET` would walk over everything before it, and a count over everything.
 */
export function replyPages(database: Database) {
  const samples = createFinder(database, (query: SampleQuery) => findSamples(database, query))
  const pairs = createFinder(database, (query: PairQuery) => findPairs(database, query))
  return {
    samples(query: SampleQuery): { total: number; rows: SampleRow[] } {
      const { offset, limit, ...filters } = query
      const found = samples(filters, [query.runId])
      const rows = samplesAt(database, found.subarray(offset, offset + limit))
      return { total: found.length, rows }
    },
    pairs(query: PairQuery): { total: number; flips: number; rows: PairRow[] } {
      const { offset, limit, onlyFlips, ...sides } = query
      const found = pairs(sides, [query.before.runId, query.after.runId])
      const total = onlyFlips ? found.flips : found.before.length
      const end = Math.min(total, offset + limit)
      return { total, flips: found.flips, rows: pairsAt(database, query, found, offset, end) }
    },
  }
}

const MOST_KEPT = 8

/** `find`, with its latest answers kept while no run that they speak of has said anything new. */
function createFinder<Q, F>(database: Database, find: (query: Q) => F) {
  const kept = new Map<string, F>()
  const lastSeq = database.prepare('SELECT max(seq) FROM event WHERE run_id = ?').pluck()
  return (query: Partial<Q>, runIds: readonly string[]): F => {
    const key = JSON.stringify([query, runIds.map((runId) => lastSeq.get(runId))])
    const found = kept.get(key) ?? find(query as Q)
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
    `SELECT judge, outcome, score, reason FROM verdict
     WHERE ${REPLY_KEY.map((column) => `${column} = ?`).join(' AND ')} ORDER BY judge`,
  )
  return [...ids].map((id) => {
    const columns = reply.get(id) as Columns
    const outcomes = verdicts.all(...REPLY_KEY.map((column) => columns[column]))
    return {
      ...fromColumns(REPLY_ROW, columns),
      outcomes: outcomes as SampleRow['outcomes'],
    }
  })
}

function conditionsOf(query: Filters): { sql: string; values: unknown[] } {
  const { runId, arm, seed, step, benchmark, category, search, outcome, judge } = query
  const judged = ['v.outcome = ?', ...(judge === null ? [] : ['v.judge = ?'])].join(' AND ')
  const parts: [string, ...unknown[]][] = [
    ['r.run_id = ? AND r.arm = ? AND r.seed = ? AND r.step = ?', runId, arm, seed, step],
    ...(benchmark === null ? [] : [['r.benchmark = ?', benchmark] as [string, unknown]]),
    ...(category === null ? [] : [['r.category = ?', category] as [string, unknown]]),
    ...(search === '' ? [] : [[`r.prompt LIKE ? ESCAPE '\\'`, like(search)] as [string, unknown]]),
    ...(outcome === null
      ? []
      : [
          [
            `EXISTS (SELECT 1 FROM verdict AS v WHERE ${sameReply('v', 'r')} AND ${judged})`,
            ...[outcome, ...(judge === null ? [] : [judge])],
          ] as [string, ...unknown[]],
        ]),
  ]
  return {
    sql: parts.map(([sql]) => sql).join(' AND '),
    values: parts.flatMap(([, ...values]) => values),
  }
}

/** The text itself, wherever it stands. */
const like = (text: string) => `%${text.replaceAll(/[\\%_]/g, (letter) => `\\${letter}`)}%`

const STATE = (table: string) =>
  `${table}.run_id = ? AND ${table}.arm = ? AND ${table}.seed = ? AND ${table}.step = ?`

/** Replies of the two sides by their rowids: one prompt at one place of both lists, flips first. */
interface FoundPairs {
  readonly before: Float64Array
  readonly after: Float64Array
  readonly flips: number
}

/** One verdict a side, joined to its reply. */
const PAIRS = `SELECT rb.rowid, ra.rowid, a.outcome <> b.outcome AS is_flip FROM verdict AS b
  JOIN verdict AS a ON ${STATE('a')} AND a.benchmark = b.benchmark AND a.sample_id = b.sample_id
    AND a.epoch = b.epoch AND a.judge = b.judge
  JOIN reply AS rb ON ${sameReply('rb', 'b')}
  JOIN reply AS ra ON ${sameReply('ra', 'a')}
  WHERE ${STATE('b')} AND b.benchmark = ? AND b.judge = ?
  ORDER BY is_flip DESC, b.sample_id, b.epoch`

function findPairs(
  database: Database,
  { before, after, benchmark, judge }: Omit<PairQuery, 'offset' | 'limit' | 'onlyFlips'>,
): FoundPairs {
  const place = ({ runId, arm, seed, step }: State) => [runId, arm, seed, step]
  const rows = database
    .prepare(PAIRS)
    .raw()
    .all(...place(after), ...place(before), benchmark, judge) as [number, number, 0 | 1][]
  return {
    before: Float64Array.from(rows, ([id]) => id),
    after: Float64Array.from(rows, ([, id]) => id),
    flips: rows.filter(([, , isFlip]) => isFlip === 1).length,
  }
}

const PAIR = `SELECT rb.benchmark, rb.sample_id, rb.epoch, ra.category, ra.prompt, ra.expected_json,
    b.outcome AS outcome_before, a.outcome AS outcome_after, rb.text AS text_before, ra.text AS text_after,
    rb.mean_log_prob AS before_log_prob, ra.mean_log_prob AS after_log_prob
  FROM reply AS rb JOIN reply AS ra
  JOIN verdict AS b ON ${sameReply('b', 'rb')} AND b.judge = ?
  JOIN verdict AS a ON ${sameReply('a', 'ra')} AND a.judge = ?
  WHERE rb.rowid = ? AND ra.rowid = ?`

function pairsAt(
  database: Database,
  { judge }: PairQuery,
  { before, after }: FoundPairs,
  from: number,
  to: number,
): PairRow[] {
  const pair = database.prepare(PAIR)
  const places = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i)
  return places.map((i) => toPair(pair.get(judge, judge, before[i], after[i]) as Columns))
}

function toPair(row: Columns): PairRow {
  const side = (name: 'before' | 'after') => ({
    outcome: row[`outcome_${name}`] as Outcome,
    text: row[`text_${name}`] as string | null,
    meanLogProb: Number(row[`${name}_log_prob`]),
  })
  return {
    benchmark: `${row['benchmark']}`,
    sampleId: `${row['sample_id']}`,
    epoch: Number(row['epoch']),
    category: `${row['category']}`,
    prompt: `${row['prompt']}`,
    expected: JSON.parse(`${row['expected_json']}`) as Expected,
    isFlip: row['outcome_before'] !== row['outcome_after'],
    before: side('before'),
    after: side('after'),
  }
}
