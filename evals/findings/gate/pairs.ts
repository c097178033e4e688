/** @file The same prompts before and after, by one judge; pairs with an undecided side are dropped and counted. */
import type { BenchmarkRole } from '../../contract/rows.ts'
import { marginTests } from '../../statistics/paired/non-inferiority.ts'
import { pairedChange, type PairedChangeOfRate } from '../../statistics/paired/paired-change.ts'
import { effectiveChange, type PromptPair } from '../../statistics/repeated.ts'
import type { ComparedJudgement, ComparedRun } from './compared-run.ts'
import { coverageOf, type Coverage } from './coverage.ts'
import { measureOf, type Measure } from './outcomes.ts'

interface Pair {
  readonly before: ComparedJudgement
  readonly after: ComparedJudgement
}

export interface Paired {
  readonly measure: Measure
  readonly pairs: readonly Pair[]
  /** The scores of `pairs`, prompt by prompt. */
  readonly prompts: readonly PromptPair[]
  /** Of the measured rate. */
  readonly change: PairedChangeOfRate
  readonly droppedUndecided: number
  /** Replies that one side alone has. */
  readonly unmatched: number
  readonly coverage: Coverage
}

interface What {
  readonly benchmark: string
  readonly judge: string
  readonly role: BenchmarkRole
  /** The role's rate if not given. */
  readonly measure?: Measure
}

const rowsOf = (run: ComparedRun, { benchmark, judge }: What) =>
  run.judged.filter((row) => row.benchmark === benchmark && row.judge === judge)

const replyKey = ({ sampleId, epoch }: ComparedJudgement) => `${sampleId}\u0000${epoch}`

export function pairUp(before: ComparedRun, after: ComparedRun, what: What): Paired {
  const { measure = measureOf(what.role) } = what
  const [earlier, rows] = [rowsOf(before, what), rowsOf(after, what)]
  const known = new Map(earlier.map((row) => [replyKey(row), row]))
  const all = rows.flatMap((row) => {
    const other = known.get(replyKey(row))
    return other ? [{ before: other, after: row }] : []
  })
  const pairs = all
    .filter((pair) => [pair.before, pair.after].every(({ outcome }) => measure.decides(outcome)))
    // The bootstrap draws by position, so the order of prompts must be fixed.
    .sort((one, two) => (replyKey(one.after) < replyKey(two.after) ? -1 : 1))
  const prompts = promptsOf(measure, pairs)
  return {
    measure,
    pairs,
    prompts,
    change: pairedChange(prompts),
    droppedUndecided: all.length - pairs.length,
    unmatched: known.size + rows.length - 2 * all.length,
    coverage: coverageOf(measure, [earlier, rows], repliesOf([before, after], what)),
  }
}

/** How many replies the benchmark has for this judge, by the larger account; null where neither side says. */
function repliesOf(runs: readonly ComparedRun[], { benchmark, judge }: What): number | null {
  const said = runs.flatMap(({ benchmarks }) =>
    benchmarks.flatMap(({ name, replies, unfit }) =>
      name === benchmark && replies != null ? [replies - (unfit?.[judge] ?? 0)] : [],
    ),
  )
  return said.length === 0 ? null : Math.max(...said)
}

function promptsOf({ counts }: Measure, pairs: readonly Pair[]): PromptPair[] {
  const score = ({ outcome }: ComparedJudgement) => Number(counts(outcome))
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

/** Replies harmed and replies mended. */
export function harmCounts({ rises }: Measure, prompts: readonly PromptPair[]) {
  const { n, b, c } = pairedCounts(prompts)
  return rises ? { n, lost: c, gained: b } : { n, lost: b, gained: c }
}

function pairedCounts(prompts: readonly PromptPair[]): { n: number; b: number; c: number } {
  const counts = { n: 0, b: 0, c: 0 }
  for (const { before, after } of prompts) {
    before.forEach((was, i) => {
      counts.n++
      if (was > after[i]!) counts.b++
      else if (was < after[i]!) counts.c++
    })
  }
  return counts
}

/** Both tests against the margin; null without pairs. Several replies to a prompt count by their effective number. */
export function testMargin(
  measure: Measure,
  prompts: readonly PromptPair[],
  margin: number,
): Tested | null {
  if (prompts.every(({ before }) => before.length === 1)) {
    return marginTests(harmCounts(measure, prompts), margin)
  }
  const harms = measure.rises
    ? prompts.map(({ before, after }) => ({ before: after, after: before }))
    : prompts
  const below = marginTests(effectiveChange(harms, 'more'), margin)
  const above = marginTests(effectiveChange(harms, 'less'), margin)
  return below && above && { ...below, above: above.above }
}
