/** @file The same prompts before and after, by one judge; pairs with an undecided side are dropped and counted. */
import type { BenchmarkRole } from '../contract/rows.ts'
import { clusterMarginTests, type PairedCluster } from '../statistics/cluster-bootstrap.ts'
import { marginTests } from '../statistics/non-inferiority.ts'
import type { PairedCounts } from '../statistics/paired.ts'
import type { ComparedJudgement, ComparedRun } from './compared-run.ts'
import { isDecided, isSuccess } from './outcomes.ts'

export interface Pair {
  readonly before: ComparedJudgement
  readonly after: ComparedJudgement
}

export interface Paired {
  readonly role: BenchmarkRole
  readonly pairs: readonly Pair[]
  readonly counts: PairedCounts
  readonly n: number
  readonly droppedUndecided: number
  /** Replies of either side that the other has not. */
  readonly unmatched: number
  /** Whether a prompt was answered more than once, so that pairs are not independent. */
  readonly isRepeated: boolean
}

const rowsOf = (run: ComparedRun, benchmark: string, judge: string) =>
  run.judged.filter((row) => row.benchmark === benchmark && row.judge === judge)

const replyKey = ({ sampleId, epoch }: ComparedJudgement) => `${sampleId}\u0000${epoch}`

export function pairUp(
  before: ComparedRun,
  after: ComparedRun,
  { benchmark, judge, role }: { benchmark: string; judge: string; role: BenchmarkRole },
): Paired {
  const known = new Map(rowsOf(before, benchmark, judge).map((row) => [replyKey(row), row]))
  const rows = rowsOf(after, benchmark, judge)
  const all = rows.flatMap((row) => {
    const other = known.get(replyKey(row))
    return other ? [{ before: other, after: row }] : []
  })
  const pairs = all
    .filter((pair) => [pair.before, pair.after].every(({ outcome }) => isDecided(role, outcome)))
    // The bootstrap draws by position, so the order of prompts is part of the result.
    .sort((one, two) => (replyKey(one.after) < replyKey(two.after) ? -1 : 1))
  const counts = { a: 0, b: 0, c: 0, d: 0 }
  for (const pair of pairs) counts[cellOf(role, pair)]++
  return {
    role,
    pairs,
    counts,
    n: pairs.length,
    droppedUndecided: all.length - pairs.length,
    unmatched: known.size + rows.length - 2 * all.length,
    isRepeated: new Set(pairs.map((pair) => pair.after.sampleId)).size < pairs.length,
  }
}

function cellOf(role: BenchmarkRole, { before, after }: Pair): 'a' | 'b' | 'c' | 'd' {
  const wasSuccess = isSuccess(role, before.outcome)
  if (isSuccess(role, after.outcome)) return wasSuccess ? 'a' : 'c'
  return wasSuccess ? 'b' : 'd'
}

export interface Tested {
  readonly below: number
  readonly above: number
  readonly method: 'exact' | 'score' | 'bootstrap'
}

/** Prompts harmed and prompts mended: over-refusal is harm where it rises. */
export function harmCounts({ role, counts: { b, c } }: Paired): { lost: number; gained: number } {
  return role === 'over-refusal' ? { lost: c, gained: b } : { lost: b, gained: c }
}

/** Both tests against the margin; null where there is no pair. */
export function testMargin(paired: Paired, margin: number): Tested | null {
  if (!paired.isRepeated) return marginTests({ ...harmCounts(paired), n: paired.n }, margin)
  // A fixed seed: the report of stored rows must come out the same every time.
  return { ...clusterMarginTests(clustersOf(paired), margin, { seed: 0 }), method: 'bootstrap' }
}

/** Scores of each prompt such that before − after is harm. */
function clustersOf({ role, pairs }: Paired): PairedCluster[] {
  const sign = role === 'over-refusal' ? -1 : 1
  const score = ({ outcome }: ComparedJudgement) => sign * Number(isSuccess(role, outcome))
  return [...Map.groupBy(pairs, ({ after }) => after.sampleId).values()].map((group) => ({
    before: group.map(({ before }) => score(before)),
    after: group.map(({ after }) => score(after)),
  }))
}
