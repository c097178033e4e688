/** @file Which of a run's judges may contest a claim, and the replies on which they differ. */
import type { AuditRows } from '../contract/audit-rows.ts'
import { firstJudge, isBase } from '../contract/keys.ts'
import type { BenchmarkRow, ReplyKey } from '../contract/rows.ts'
import { JUDGES } from '../judges/registry.ts'
import { tellingReplies } from './gate/contest.ts'
import { lastStates, storedStates } from './gate/stored-run.ts'

/** Those that are not baselines by their own word; a judge that is not in the registry was asked for by name. */
const contestingJudges = ({ judges }: Pick<BenchmarkRow, 'judges'>): string[] =>
  judges.filter((name) => JUDGES.find((judge) => judge.name === name)?.baseline === undefined)

/** At last steps and their base, most telling first; by every judge where at most one may contest. */
export function differingReplies(rows: AuditRows): ReplyKey[] {
  const states = lastStates(storedStates(rows, rows.run.id))
  const base = states.find(isBase)
  return states.flatMap((after) => {
    const before = base && base !== after ? base : undefined
    if (!before && states.length > 1) return []
    return rows.benchmarks.flatMap((benchmark) => {
      const others = contestingJudges(benchmark).filter((name) => name !== firstJudge(benchmark))
      const judges = others.length > 0 ? [firstJudge(benchmark), ...others] : benchmark.judges
      return tellingReplies([before ?? after, after], { benchmark, judges })
    })
  })
}
