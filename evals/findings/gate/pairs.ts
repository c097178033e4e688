/** @file The same prompts before and after, by one judge; pairs with an undecided side are dropped and counted. */
import type { BenchmarkRole } from '../../contract/rows.ts'
import { marginTests } from '../../statistics/paired/non-inferiority.ts'
import { pairedChange, type PairedChangeOfRate } from '../../statistics/paired/paired-change.ts'
import { effectiveChange, type PromptPair } from '../../statistics/repeated.ts'
import type { ComparedJudgement, ComparedRun } from './compared-run.ts'
import { isDecided, isSuccess } from './outcomes.ts'

interface Pair {
  readonly before: ComparedJudgement
  readonly after: ComparedJudgement
}

export interface Paired {
  readonly role: BenchmarkRole
  readonly pairs: readonly Pair[]
  /** The scores of `pairs`, prompt by prompt. */
  readonly prompts: readonly PromptPair[]
  /** The benchmark's rate on each side. */
  readonly change: PairedChangeOfRate
  readonly droppedUndecided: number
  /** Replies that one side alone has. */
  readonly unmatched: number
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
    // The bootstrap draws by position, so the order of prompts must be fixed.
    .sort((one, two) => (replyKey(one.after) < replyKey(two.after) ? -1 : 1))
  const prompts = promptsOf(role, pairs)
  return {
    role,
    pairs,
    prompts,
    change: pairedChange(prompts),
    droppedUndecided: all.length - pairs.length,
    unmatched: known.size + rows.length - 2 * all.length,
  }
}

function promptsOf(role: BenchmarkRole, pairs: readonly Pair[]): PromptPair[] {
  const score = ({ outcome }: ComparedJudgement) => Number(isSuccess(role, outcome))
  return [...Map.groupBy(pairs, ({ after }) => after.sampleId).values()].map((group) => ({
    before: group.map(({ before }) => score(before)),
    after: group.map(({ after }) => score(after)),
  }))
}

interface Tested {
  readonly below: number
  readonly above: number
  readonly method: 'exact' | 'score'
}

/** Replies harmed and mended; for over-refusal a rise is harm. */
export function harmCounts({ role, change: { b, c } }: Paired): { lost: number; gained: number } {
  return role === 'over-refusal' ? { lost: c, gained: b } : { lost: b, gained: c }
}

/** Both tests against the margin; null without pairs. Several replies to a prompt count by their effective number. */
export function testMargin(paired: Paired, margin: number): Tested | null {
  if (!paired.change.isRepeated) {
    return marginTests({ ...harmCounts(paired), n: paired.change.n }, margin)
  }
  const harms = harmPrompts(paired)
  const below = marginTests(effectiveChange(harms, 'more'), margin)
  const above = marginTests(effectiveChange(harms, 'less'), margin)
  return below && above && { ...below, above: above.above }
}

/** Scores of each prompt, signed so that before − after is harm. */
const harmPrompts = ({ role, prompts }: Paired): readonly PromptPair[] =>
  role === 'over-refusal'
    ? prompts.map(({ before, after }) => ({ before: after, after: before }))
    : prompts
