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

export function samplePage(
  database: Database,
  query: SampleQuery,
): { total: number; rows: SampleRow[] } {
  const { sql, values } = conditionsOf(query)
  const from = `FROM reply AS r WHERE ${sql}`
  const page = database
    .prepare(`SELECT r.* ${from} ORDER BY r.benchmark, r.sample_id, r.epoch LIMIT ? OFFSET ?`)
    .all(...values, query.limit, query.offset) as Columns[]
  const verdicts = database.prepare(
    `SELECT judge, outcome, score, reason FROM verdict
     WHERE ${REPLY_KEY.map((column) => `${column} = ?`).join(' AND ')} ORDER BY judge`,
  )
  const rows = page.map((columns) => {
    const outcomes = verdicts.all(...REPLY_KEY.map((column) => columns[column]))
    return {
      ...fromColumns(REPLY_ROW, columns),
      outcomes: outcomes as SampleRow['outcomes'],
    }
  })
  return { total: countOf(database, `SELECT count(*) AS n ${from}`, ...values), rows }
}

function conditionsOf(query: SampleQuery): { sql: string; values: unknown[] } {
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

/** One verdict a side, joined to its reply. */
const PAIRS = `FROM verdict AS b
  JOIN verdict AS a ON ${STATE('a')} AND a.benchmark = b.benchmark AND a.sample_id = b.sample_id
    AND a.epoch = b.epoch AND a.judge = b.judge
  JOIN reply AS rb ON ${sameReply('rb', 'b')}
  JOIN reply AS ra ON ${sameReply('ra', 'a')}
  WHERE ${STATE('b')} AND b.benchmark = ? AND b.judge = ?`

export function pairPage(
  database: Database,
  { before, after, benchmark, judge, onlyFlips, offset, limit }: PairQuery,
): { total: number; flips: number; rows: PairRow[] } {
  const place = ({ runId, arm, seed, step }: State) => [runId, arm, seed, step]
  const values = [...place(after), ...place(before), benchmark, judge]
  const count = (more: string) =>
    countOf(database, `SELECT count(*) AS n ${PAIRS} ${more}`, ...values)
  const flips = count('AND a.outcome <> b.outcome')
  const rows = database
    .prepare(
      `SELECT b.benchmark, b.sample_id, b.epoch, ra.category, ra.prompt, ra.expected_json,
         b.outcome AS outcome_before, a.outcome AS outcome_after, rb.text AS text_before, ra.text AS text_after,
         rb.mean_log_prob AS before_log_prob, ra.mean_log_prob AS after_log_prob
       ${PAIRS} ${onlyFlips ? 'AND a.outcome <> b.outcome' : ''}
       ORDER BY a.outcome <> b.outcome DESC, b.sample_id, b.epoch LIMIT ? OFFSET ?`,
    )
    .all(...values, limit, offset) as Columns[]
  return { total: onlyFlips ? flips : count(''), flips, rows: rows.map(toPair) }
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
