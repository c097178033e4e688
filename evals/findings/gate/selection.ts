/** @file Which judged replies a question is about. Rows of two states are paired within one selection. */
import type {
  ComparedBenchmark,
  ComparedJudgement,
  ComparedRun,
  Unconfirmed,
} from './compared-run.ts'

export interface Selection {
  readonly benchmark: string
  readonly judge: string
  /** Only prompts of these categories; all of them if not given. */
  readonly categories?: readonly string[]
  /** Only replies given in this context; if not given, those outside of any. */
  readonly context?: string
}

export type Rows = readonly ComparedJudgement[]

/** Several claims, and each search within one, are about the same rows. */
const known = new WeakMap<ComparedRun, Map<string, Rows>>()

/** Of a state with marked rows, the state that it is but for the marks: same prompts in the same order. */
const unmarked = new WeakMap<ComparedRun, ComparedRun>()
const plainRows = new WeakMap<Rows, Rows>()

/** The state with rows marked as unconfirmed. */
export function withUnconfirmed(
  run: ComparedRun,
  unconfirmedOf: (row: ComparedJudgement) => Unconfirmed | undefined,
): ComparedRun {
  const judged = run.judged.map((row): ComparedJudgement => {
    const unconfirmed = unconfirmedOf(row)
    return unconfirmed ? { ...row, unconfirmed } : row
  })
  const marked = { ...run, judged }
  unmarked.set(marked, unmarked.get(run) ?? run)
  return marked
}

/** Rows by which prompts are known: those of the state before anything was marked. */
export const withoutMarks = (rows: Rows): Rows => plainRows.get(rows) ?? rows

export function rowsOf(run: ComparedRun, of: Selection): Rows {
  const name = JSON.stringify([of.benchmark, of.judge, of.context, of.categories])
  const own = known.get(run) ?? new Map<string, Rows>()
  known.set(run, own)
  const rows = own.get(name) ?? selected(run, of)
  own.set(name, rows)
  const plain = unmarked.get(run)
  if (plain) plainRows.set(rows, rowsOf(plain, of))
  return rows
}

const selected = ({ judged }: ComparedRun, of: Selection) =>
  judged.filter(
    (row) =>
      row.benchmark === of.benchmark &&
      row.judge === of.judge &&
      row.context === of.context &&
      (of.categories === undefined || of.categories.includes(row.category)),
  )

/** What is found of the rows of two states, found once as long as they are the same. */
export function ofRows<F>(
  find: (before: Rows, after: Rows) => F,
): (before: Rows, after: Rows) => F {
  const lately = new WeakMap<Rows, WeakMap<Rows, F>>()
  return (before, after) => {
    const others = lately.get(before) ?? new WeakMap<Rows, F>()
    lately.set(before, others)
    const found = others.get(after) ?? find(before, after)
    others.set(after, found)
    return found
  }
}

/** The benchmark in the selection's context. */
export const benchmarkOf = (
  { benchmarks }: Pick<ComparedRun, 'benchmarks'>,
  of: Pick<Selection, 'benchmark' | 'context'>,
): ComparedBenchmark | undefined =>
  benchmarks.find(({ name, context }) => name === of.benchmark && context?.name === of.context)
