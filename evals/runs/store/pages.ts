/** @file Long tables a page at a time, as SQL finds them: events, replies, metrics, spectra, cells. Sealed replies are not among them. */
import type { Database } from 'better-sqlite3'
import type { SampleRow } from '../../contract/calls/samples.ts'
import type { LabelItem } from '../../contract/evidence.ts'
import type { JobEvent } from '../../contract/events.ts'
import type { AskedContext, SpectrumRow, SubjectKey } from '../../contract/rows.ts'
import type { CellRow } from '../../contract/sweeps.ts'
import { eventsOf, type EventQuery } from './events.ts'
import {
  replyPages,
  type JudgedReplies,
  type JudgedQuery,
  type JudgedReply,
  type SampleQuery,
  type State,
} from './reply-pages.ts'
import { fromColumns, TABLES, type Columns } from './tables.ts'

type EvaluatedState = SubjectKey & {
  benchmark: string
  context: Pick<AskedContext, 'of' | 'name' | 'title'> | null
  judges: string[]
  samples: number
  categories: string[]
}

interface MetricSeries {
  readonly arm: string
  readonly seed: number
  readonly name: string
  readonly steps: number[]
  readonly values: number[]
}

export interface Pages {
  /** Ascending in `seq`. */
  events(runId: string, query: Required<EventQuery>): JobEvent[]
  states(runId: string): EvaluatedState[]
  samples(query: SampleQuery): { total: number; rows: SampleRow[] }
  judged(state: State, asked: JudgedQuery): JudgedReplies
  /** Replies by their rowids, in this order. */
  judgedAt(ids: Float64Array, judge: string): JudgedReply[]
  /** Every name where `names` is empty. */
  metrics(runId: string, names: readonly string[]): MetricSeries[]
  spectrumStates(runId: string): (SubjectKey & { matrices: number; intruders: number })[]
  spectra(runId: string, state: SubjectKey): SpectrumRow[]
  cells(
    runId: string,
    page: { offset: number; limit: number },
  ): { total: number; done: number; failed: number; rows: CellRow[] }
  cell(runId: string, position: number): CellRow | undefined
  /** What a person who labels is shown; items whose reply is sealed are left out. */
  readable(
    runId: string,
    items: readonly LabelItem[],
  ): { item: string; prompt: string; reply: string }[]
  /** Whether this is a prompt to which some reply here is kept apart. */
  isWithheld(prompt: string): boolean
}

const STATE = 'run_id = ? AND arm = ? AND seed = ? AND step = ?'

type Query = (sql: string, ...values: unknown[]) => Columns[]

/** `guard` translates the database's errors. */
export function pagesOf(database: Database, guard: <T>(action: () => T) => T): Pages {
  const all: Query = (sql, ...values) =>
    guard(() => database.prepare(sql).all(...values)) as Columns[]
  const replies = replyPages(database)
  return {
    ...spectrumPages(all),
    ...cellPages(all),
    events: (runId, query) => guard(() => eventsOf(database, runId, query)),
    states: (runId) => all(STATES, runId).map(toState),
    samples: (query) => guard(() => replies.samples(query)),
    judged: (state, asked) => guard(() => replies.judged(state, asked)),
    judgedAt: (ids, judge) => guard(() => replies.judgedAt(ids, judge)),
    metrics: (runId, names) => {
      const named = names.length === 0 ? '' : `AND name IN (${names.map(() => '?').join(', ')})`
      const order = 'ORDER BY arm, seed, name, step'
      const rows = all(`SELECT * FROM metric WHERE run_id = ? ${named} ${order}`, runId, ...names)
      return seriesOf(rows as unknown as readonly MetricColumns[])
    },
    readable: (runId, items) => guard(() => readable(database, runId, items)),
    isWithheld: (prompt) =>
      all('SELECT 1 FROM reply WHERE text IS NULL AND prompt = ? LIMIT 1', prompt).length > 0,
  }
}

function spectrumPages(all: Query): Pick<Pages, 'spectrumStates' | 'spectra'> {
  return {
    spectrumStates: (runId) =>
      all(
        `SELECT arm, seed, step, count(*) AS matrices, sum(intruders) AS intruders
         FROM spectrum WHERE run_id = ? GROUP BY arm, seed, step`,
        runId,
      ) as unknown as ReturnType<Pages['spectrumStates']>,
    spectra: (runId, { arm, seed, step }) =>
      all(
        `SELECT * FROM spectrum WHERE ${STATE} ORDER BY layer, module`,
        runId,
        arm,
        seed,
        step,
      ).map((columns) => fromColumns(TABLES.spectrum, columns)),
  }
}

function cellPages(all: Query): Pick<Pages, 'cells' | 'cell'> {
  const toCell = (columns: Columns) => fromColumns(TABLES.cell, columns)
  return {
    cells(runId, { offset, limit }) {
      const counts = all(
        'SELECT status, count(*) AS n FROM cell WHERE run_id = ? GROUP BY status',
        runId,
      ).map(({ status, n }) => [status, Number(n)] as const)
      const byStatus = new Map(counts)
      return {
        total: counts.reduce((sum, [, n]) => sum + n, 0),
        done: byStatus.get('done') ?? 0,
        failed: byStatus.get('failed') ?? 0,
        rows: all(
          'SELECT * FROM cell WHERE run_id = ? ORDER BY position LIMIT ? OFFSET ?',
          runId,
          limit,
          offset,
        ).map(toCell),
      }
    },
    cell: (runId, position) =>
      all('SELECT * FROM cell WHERE run_id = ? AND position = ?', runId, position).map(toCell)[0],
  }
}

const facets = (kind: string) =>
  `(SELECT json_group_array(value) FROM facet AS f WHERE f.run_id = e.run_id AND f.arm = e.arm AND f.seed = e.seed
     AND f.step = e.step AND f.benchmark = e.benchmark AND f.kind = '${kind}')`
const CONTEXT =
  '(SELECT context_json FROM benchmark AS b WHERE b.run_id = e.run_id AND b.name = e.benchmark)'
const STATES = `SELECT arm, seed, step, benchmark, samples, ${CONTEXT} AS context_json,
    ${facets('judge')} AS judges_json, ${facets('category')} AS categories_json
  FROM evaluation AS e WHERE run_id = ? ORDER BY arm <> 'base', arm, seed, step, benchmark`

function toState(columns: Columns): EvaluatedState {
  const { judges_json, categories_json, context_json, ...row } = columns
  const [named, sorted] = [
    JSON.parse(`${judges_json}`),
    JSON.parse(`${categories_json}`),
  ] as string[][]
  const context = JSON.parse(`${context_json}`) as AskedContext | null
  return {
    ...row,
    context: context && { of: context.of, name: context.name, title: context.title },
    judges: named!,
    categories: sorted!.sort(),
  } as unknown as EvaluatedState
}

type MetricColumns = SubjectKey & { name: string; value: number }

/** Rows come ordered by arm, seed and name. */
function seriesOf(rows: readonly MetricColumns[]): MetricSeries[] {
  const series: MetricSeries[] = []
  for (const { arm, seed, name, step, value } of rows) {
    const last = series.at(-1)
    const isSame = last?.arm === arm && last.seed === seed && last.name === name
    if (!isSame) series.push({ arm, seed, name, steps: [], values: [] })
    series.at(-1)!.steps.push(step)
    series.at(-1)!.values.push(value)
  }
  return series
}

function readable(database: Database, runId: string, items: readonly LabelItem[]) {
  const find = database.prepare(
    `SELECT prompt, text FROM reply WHERE ${STATE} AND benchmark = ? AND sample_id = ? AND epoch = ?
     AND text IS NOT NULL`,
  )
  return items.flatMap(({ item, arm, seed, step, benchmark, sampleId, epoch }) => {
    const row = find.get(runId, arm, seed, step, benchmark, sampleId, epoch) as
      { prompt: string; text: string } | undefined
    return row ? [{ item, prompt: row.prompt, reply: row.text }] : []
  })
}
