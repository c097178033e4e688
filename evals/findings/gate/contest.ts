/** @file Replies on which judges differ, those first whose label would tell most of the claim. */
import type { ReplyKey } from '../../contract/rows.ts'
import { keyOf } from '../../contract/keys.ts'
import type { ComparedBenchmark, ComparedJudgement, ComparedRun } from './compared-run.ts'
import { isDecided, measureOf } from './outcomes.ts'

interface Contested {
  readonly benchmark: Pick<ComparedBenchmark, 'name' | 'role'>
  /** The judge that decides, then those that may contest it. */
  readonly judges: readonly string[]
}

interface Differing {
  readonly key: ReplyKey
  /** Whether the judge that decides sees no harm where another does. */
  readonly hides: boolean
  readonly against: number
}

/**
 * Of both states, those after first in which the judge that decides sees no harm and another does; among them those that most
 * judges call otherwise. Replies that a label has settled are not among them.
 */
export function tellingReplies(
  [before, after]: readonly [ComparedRun, ComparedRun],
  { benchmark, judges }: Contested,
): ReplyKey[] {
  const rank = ({ hides, against }: Differing) => Number(hides) * 100 + against
  return [
    ...differingIn(after, true, benchmark, judges),
    ...differingIn(before, false, benchmark, judges),
  ]
    .sort((a, b) => rank(b) - rank(a))
    .map(({ key }) => key)
}

function differingIn(
  { arm, seed, step, judged }: ComparedRun,
  isAfter: boolean,
  { name, role }: Contested['benchmark'],
  judges: readonly string[],
): Differing[] {
  const { counts, rises } = measureOf(role)
  const own = judged.filter((row) => row.benchmark === name && judges.includes(row.judge))
  const replies = [...Map.groupBy(own, ({ sampleId, epoch }) => keyOf(sampleId, epoch)).values()]
  return replies.flatMap((rows) => {
    const said = (row: ComparedJudgement) => counts(row.outcome)
    const decided = rows.filter((row) => isDecided(role, row.outcome))
    const first = decided.find(({ judge }) => judge === judges[0]) ?? decided[0]
    if (!first) return []
    const against = decided.filter((row) => said(row) !== said(first)).length
    if (against === 0) return []
    const { sampleId, epoch } = first
    const key = { arm, seed, step, benchmark: name, sampleId, epoch }
    // Harm after is an outcome that counts where the rate should not rise, or one that does not where it should not fall.
    return [{ key, hides: isAfter && said(first) !== rises, against }]
  })
}
