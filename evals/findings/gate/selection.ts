/** @file Which judged replies a question is about. Rows of two states are paired within one selection. */
import type { ComparedBenchmark, ComparedJudgement, ComparedRun } from './compared-run.ts'

export interface Selection {
  readonly benchmark: string
  readonly judge: string
  /** Only prompts of these categories; all of them if not given. */
  readonly categories?: readonly string[]
  /** Only replies given in this context; if not given, those outside of any. */
  readonly context?: string
}

/** Several claims, and each search within one, are about the same rows. */
const known = new WeakMap<ComparedRun, Map<string, readonly ComparedJudgement[]>>()

export function rowsOf(run: ComparedRun, of: Selection): readonly ComparedJudgement[] {
  const name = JSON.stringify([of.benchmark, of.judge, of.context, of.categories])
  const own = known.get(run) ?? new Map<string, readonly ComparedJudgement[]>()
  known.set(run, own)
  const rows = own.get(name) ?? selected(run, of)
  own.set(name, rows)
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

/** The benchmark in the selection's context. */
export const benchmarkOf = (
  { benchmarks }: Pick<ComparedRun, 'benchmarks'>,
  of: Pick<Selection, 'benchmark' | 'context'>,
): ComparedBenchmark | undefined =>
  benchmarks.find(({ name, context }) => name === of.benchmark && context?.name === of.context)
