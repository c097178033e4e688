/** @file Which of a run's judges may contest a claim, and the replies on which they differ. */
import type { AuditRows } from '../contract/audit-rows.ts'
import { firstJudge, isBase } from '../contract/keys.ts'
import type { ReplyKey } from '../contract/rows.ts'
import { JUDGES } from '../judges/registry.ts'
import type { ComparedRun } from './gate/compared-run.ts'
import { tellingReplies } from './gate/judges/contest.ts'
import { lastStates, storedStates, type StateRows } from './gate/stored-run.ts'

/** A judge that is not in the registry was asked for by name, and may. */
const mayContest = (name: string) =>
  JUDGES.find((judge) => judge.name === name)?.baseline === undefined

/** Of judges that ask models of which the run does not say more. */
const UNKNOWN = 'models that are not told'

/**
 * Of judges that read replies. One that is not in the registry asks a model, which is its family; a fine-tune that is compared
 * here is no judge of itself.
 */
function familiesOf({ artifacts = [], subjects }: StateRows, judges: Iterable<string>) {
  const asked = new Map(
    artifacts.flatMap(({ content }) =>
      content?.kind === 'judge' ? [[content.name, content.family] as const] : [],
    ),
  )
  const base = subjects.find(({ arm }) => arm === 'base')
  const judged = new Set(
    subjects.flatMap(({ weightsDigest }) =>
      weightsDigest === base?.weightsDigest ? [] : [weightsDigest],
    ),
  )
  const families = [...judges].flatMap((name) => {
    const judge = JUDGES.find((each) => each.name === name)
    if (judge) return judge.readsReplies === false ? [] : [[name, judge.family ?? name]]
    const family = asked.get(name) ?? UNKNOWN
    return judged.has(family) ? [] : [[name, family]]
  })
  return Object.fromEntries(families) as Record<string, string>
}

/** `storedStates`, each with the judges that are not baselines by their own word, and the families of all. */
export function judgedStates(rows: StateRows, origin: string): ComparedRun[] {
  const judges = new Set(rows.benchmarks.flatMap((row) => row.judges))
  const contesting = [...judges].filter(mayContest)
  return storedStates(rows, origin).map((run) => ({
    ...run,
    contesting,
    families: familiesOf(rows, judges),
  }))
}

/** At last steps and their base, most telling first; by every judge where at most one may contest. */
export function differingReplies(rows: AuditRows): ReplyKey[] {
  const states = lastStates(storedStates(rows, rows.run.id))
  const base = states.find(isBase)
  return states.flatMap((after) => {
    const before = base && base !== after ? base : undefined
    if (!before && states.length > 1) return []
    return rows.benchmarks.flatMap((benchmark) => {
      const first = firstJudge(benchmark)
      const others = benchmark.judges.filter((name) => name !== first && mayContest(name))
      const judges = others.length > 0 ? [first, ...others] : benchmark.judges
      return tellingReplies([before ?? after, after], { benchmark, judges })
    })
  })
}
