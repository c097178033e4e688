/** @file Methods at the same training loss, a line a benchmark and pair of methods: what changes from the first to the other. */
import type { MatchedSeed } from '../../evals/contract/results.ts'
import type { BenchmarkRow } from '../../evals/contract/rows.ts'
import { changeOf, type Change } from './change.ts'

interface MatchedRow {
  readonly title: string
  readonly reference: string
  readonly arm: string
  readonly n: number
  readonly change: Change | undefined
}

/** By each benchmark's first judge. */
export function matchedRows(
  { pairs }: Pick<MatchedSeed, 'pairs'>,
  benchmarks: readonly BenchmarkRow[],
): MatchedRow[] {
  return benchmarks.flatMap(({ name, title, judges: [first] }) =>
    pairs
      .filter(({ benchmark, judge }) => benchmark === name && judge === first)
      .map((pair) => ({
        title,
        reference: pair.reference,
        arm: pair.arm,
        n: pair.n,
        change: changeOf(pair),
      })),
  )
}
