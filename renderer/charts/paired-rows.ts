/** @file Every model state at its last step beside its base, on each benchmark, by the benchmark's first judge. */
import type { RunResults } from '../../evals/contract/calls/runs.ts'
import type { Comparison, Evaluation, Rate } from '../../evals/contract/results.ts'
import type { BenchmarkRow, SubjectKey } from '../../evals/contract/rows.ts'
import { changeOf, type Change } from './change.ts'

type PairedRow = SubjectKey & {
  readonly benchmark: BenchmarkRow
  readonly before: Rate | undefined
  readonly after: Rate
  readonly change: Change | undefined
  readonly pValue: number | undefined
  readonly flips: number | undefined
}

type Compared = Pick<RunResults, 'benchmarks' | 'evaluations' | 'comparisons'>

export function pairedRows({ benchmarks, evaluations, comparisons }: Compared): PairedRow[] {
  return benchmarks.flatMap((benchmark) => {
    const own = evaluations.filter(
      (row) => row.benchmark === benchmark.name && row.judge === benchmark.judges[0],
    )
    const base = own.find(({ arm }) => arm === 'base')
    const after = lastSteps(own.filter(({ arm }) => arm !== 'base'))
    if (after.length === 0) return own.map((row) => pairedRow(benchmark, undefined, row, undefined))
    return after.map((row) =>
      pairedRow(
        benchmark,
        base,
        row,
        comparisons.find((each) => isSame(each, row)),
      ),
    )
  })
}

function pairedRow(
  benchmark: BenchmarkRow,
  base: Evaluation | undefined,
  { arm, seed, step, rate }: Evaluation,
  comparison: Comparison | undefined,
): PairedRow {
  return {
    benchmark,
    arm,
    seed,
    step,
    before: base?.rate,
    after: rate,
    change: comparison && changeOf(comparison),
    pValue: comparison?.pValue,
    flips: comparison && comparison.b + comparison.c,
  }
}

const isSame = (a: Comparison, b: Evaluation) =>
  a.arm === b.arm &&
  a.seed === b.seed &&
  a.step === b.step &&
  a.benchmark === b.benchmark &&
  a.judge === b.judge

function lastSteps(rows: readonly Evaluation[]): Evaluation[] {
  const byState = Map.groupBy(rows, ({ arm, seed }) => `${arm} ${seed}`)
  return [...byState.values()].map((steps) => steps.reduce((a, b) => (b.step > a.step ? b : a)))
}
