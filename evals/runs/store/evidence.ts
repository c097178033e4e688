/** @file Benchmark files and labels: tables that no event fills, because no run does. */
import type { Database } from 'better-sqlite3'
import type {
  BenchmarkFile,
  JudgedReply,
  JudgeVersion,
  Label,
  LabelItem,
} from '../../contract/evidence.ts'
import { sha256 } from '../../files/digest.ts'
import { prepared } from './prepared.ts'
import { BENCHMARK_FILE, fromColumns, type Columns } from './tables.ts'

export interface EvidenceStore {
  /** Oldest first. */
  benchmarkFiles(): BenchmarkFile[]
  /** The same samples under the same name are kept once, with the path where they were seen last. */
  keepBenchmarkFiles(files: readonly BenchmarkFile[]): void
  labelItems(runId: string): LabelItem[]
  /** An item that is there keeps its name. */
  keepLabelItems(runId: string, items: readonly LabelItem[]): void
  /** By the reply's digest. */
  judged(judge: JudgeVersion): Map<string, JudgedReply>
  keepJudged(judge: JudgeVersion, replies: ReadonlyMap<string, JudgedReply>): void
  /** In the order in which they were said. */
  labels(runId: string): Label[]
  keepLabels(runId: string, labels: readonly Label[]): void
}

const INSERT_FILE = `INSERT INTO benchmark_file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (name, digest) DO UPDATE SET path = excluded.path`

const fileValues = (file: BenchmarkFile): unknown[] => [
  file.name,
  file.digest,
  file.path,
  file.fileDigest,
  file.rows,
  file.samples,
  JSON.stringify(file.licences),
  JSON.stringify(file.promptHashes),
  file.importedAt,
]

const INSERT_ITEM = `INSERT INTO label_item (run_id, item, arm, seed, step, benchmark, sample_id, epoch, draw, drawn_by)
  VALUES (@runId, @item, @arm, @seed, @step, @benchmark, @sampleId, @epoch, @draw, @drawnBy)
  ON CONFLICT DO UPDATE SET draw = excluded.draw, drawn_by = excluded.drawn_by`
const ITEMS = `SELECT item, arm, seed, step, benchmark, sample_id AS sampleId, epoch, draw, drawn_by AS drawnBy
  FROM label_item WHERE run_id = ? ORDER BY item`

const INSERT_JUDGED = `INSERT INTO judged_reply (judge, judge_version, digest, outcome, score, reason, thought_outcome, sum)
  VALUES (@judge, @judgeVersion, @digest, @outcome, @score, @reason, @thoughtOutcome, @sum)
  ON CONFLICT DO UPDATE SET outcome = excluded.outcome, score = excluded.score, reason = excluded.reason,
    thought_outcome = excluded.thought_outcome, sum = excluded.sum`
const JUDGED = `SELECT digest, outcome, score, reason, thought_outcome AS thoughtOutcome, sum FROM judged_reply WHERE judge = ? AND judge_version = ?`

const INSERT_LABEL = `INSERT INTO label (run_id, item, rater, outcome, labelled_at, is_settling)
  VALUES (@runId, @item, @rater, @outcome, @labelledAt, @isSettling)`
const LABELS = `SELECT item, rater, outcome, labelled_at AS labelledAt, is_settling AS isSettling
  FROM label WHERE run_id = ? ORDER BY rowid`
type LabelColumns = Omit<Label, 'isSettling'> & { isSettling: number }

/** `guard` translates the database's errors. */
export function evidenceOf(database: Database, guard: <T>(action: () => T) => T): EvidenceStore {
  const all = (sql: string, ...values: unknown[]) =>
    guard(() => prepared(database, sql).all(...values))
  /** All rows or none. */
  const writeAll = (sql: string, rows: readonly unknown[]): void =>
    guard(() => {
      const statement = database.prepare(sql)
      database.transaction(() => rows.forEach((row) => statement.run(row))).immediate()
    })
  return {
    benchmarkFiles: () => {
      const rows = all('SELECT * FROM benchmark_file ORDER BY imported_at, name')
      return (rows as Columns[]).map((columns) => fromColumns(BENCHMARK_FILE, columns))
    },
    keepBenchmarkFiles: (files) => writeAll(INSERT_FILE, files.map(fileValues)),
    labelItems: (runId) => all(ITEMS, runId) as LabelItem[],
    keepLabelItems: (runId, items) =>
      writeAll(
        INSERT_ITEM,
        items.map((item) => ({ runId, ...item })),
      ),
    ...judgedOf(all, writeAll),
    labels: (runId) =>
      (all(LABELS, runId) as LabelColumns[]).map((row) => ({
        ...row,
        isSettling: row.isSettling === 1,
      })),
    keepLabels: (runId, labels) =>
      writeAll(
        INSERT_LABEL,
        labels.map((label) => ({ runId, ...label, isSettling: Number(label.isSettling) })),
      ),
  }
}

const sumOf = (
  { judge, judgeVersion }: JudgeVersion,
  digest: string,
  { outcome, score, reason, thoughtOutcome }: JudgedReply,
): string =>
  sha256(JSON.stringify([judge, judgeVersion, digest, outcome, score, reason, thoughtOutcome]))

function judgedOf(
  all: (sql: string, ...values: unknown[]) => unknown[],
  writeAll: (sql: string, rows: readonly unknown[]) => void,
): Pick<EvidenceStore, 'judged' | 'keepJudged'> {
  return {
    judged: ({ judge, judgeVersion }) => {
      const rows = all(JUDGED, judge, judgeVersion) as (JudgedReply & {
        digest: string
        sum: string
      })[]
      // What was changed, or kept by an earlier version, is judged again.
      return new Map(
        rows.flatMap(({ digest, sum, ...said }) =>
          sum === sumOf({ judge, judgeVersion }, digest, said) ? [[digest, said] as const] : [],
        ),
      )
    },
    keepJudged: (judge, replies) =>
      writeAll(
        INSERT_JUDGED,
        [...replies].map(([digest, said]) => ({
          ...judge,
          ...{ digest, sum: sumOf(judge, digest, said) },
          ...said,
        })),
      ),
  }
}
