/** @file The same prompts before and after, by one judge; pairs with an undecided side are dropped and counted. */
import type { BenchmarkRole } from '../../contract/rows.ts'
import { pairedChange, type PairedChangeOfRate } from '../../statistics/paired/paired-change.ts'
import type { PromptPair } from '../../statistics/repeated.ts'
import { clustersOf, inClusters, type Clusters } from './clusters.ts'
import type { ComparedJudgement, ComparedRun, LabelledReply } from './compared-run.ts'
import { clusterOf, coverageOf, type Coverage } from './coverage.ts'
import { measureOf, type Measure } from './outcomes.ts'
import { benchmarkOf, rowsOf, type Selection } from './selection.ts'

interface Pair {
  readonly before: ComparedJudgement
  readonly after: ComparedJudgement
}

export interface Paired {
  readonly measure: Measure
  readonly clusters: Clusters
  readonly pairs: readonly Pair[]
  /** The scores of `pairs`, prompt by prompt. */
  readonly prompts: readonly PromptPair[]
  /** Of the measured rate. */
  readonly change: PairedChangeOfRate
  readonly droppedUndecided: number
  /** Replies that one side alone has. */
  readonly unmatched: number
  readonly coverage: Coverage
  /** What people said of replies to this benchmark, before and after. */
  readonly labels: readonly [readonly LabelledReply[], readonly LabelledReply[]]
}

interface What extends Selection {
  readonly role: BenchmarkRole
  /** The role's rate if not given. */
  readonly measure?: Measure
}

const replyKey = ({ sampleId, epoch }: ComparedJudgement) => `${sampleId}\u0000${epoch}`

export function pairUp(before: ComparedRun, after: ComparedRun, what: What): Paired {
  const { measure = measureOf(what.role) } = what
  const sides = [rowsOf(before, what), rowsOf(after, what)] as const
  const clusters = clustersOf(sides)
  const [earlier, rows] = [inClusters(sides[0], clusters), inClusters(sides[1], clusters)]
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
    clusters,
    pairs,
    prompts,
    change: pairedChange(prompts),
    droppedUndecided: all.length - pairs.length,
    unmatched: known.size + rows.length - 2 * all.length,
    coverage: coverageOf(measure, [earlier, rows], repliesOf([before, after], what)),
    labels: [labelsOf(before, what), labelsOf(after, what)],
  }
}

/** A category has too few of the labels to be corrected by its own. */
const labelsOf = ({ labels = [] }: ComparedRun, { benchmark, context, categories }: What) =>
  categories !== undefined
    ? []
    : labels.filter((label) => label.benchmark === benchmark && label.context === context)

/** How many replies the benchmark has for this judge, by the larger account; null where neither side says, and of categories. */
function repliesOf(runs: readonly ComparedRun[], what: What): number | null {
  if (what.categories) return null
  const said = runs.flatMap((run) => {
    const { replies, unfit } = benchmarkOf(run, what) ?? {}
    return replies == null ? [] : [replies - (unfit?.[what.judge] ?? 0)]
  })
  return said.length === 0 ? null : Math.max(...said)
}

function promptsOf({ counts }: Measure, pairs: readonly Pair[]): PromptPair[] {
  const score = ({ outcome }: ComparedJudgement) => Number(counts(outcome))
  return [...Map.groupBy(pairs, ({ after }) => after.sampleId).values()].map((group) => ({
    before: group.map(({ before }) => score(before)),
    after: group.map(({ after }) => score(after)),
    ...clusterOf(group[0]!.after),
  }))
}
