/** @file The same prompts before and after, by one judge; pairs with an undecided side are dropped and counted. */
import type { BenchmarkRole } from '../../contract/rows.ts'
import { pairedChange, type PairedChangeOfRate } from '../../statistics/paired/paired-change.ts'
import type { PromptPair } from '../../statistics/repeated.ts'
import { clustersBetween, inClusters, type Clusters } from './clusters.ts'
import type { ComparedJudgement, ComparedRun, LabelledReply } from './compared-run.ts'
import { clusterOf, coverageOf, type Coverage, type SeenReply } from './coverage.ts'
import { measureOf, type Measure } from './outcomes.ts'
import {
  benchmarkOf,
  ofRows,
  rowsOf,
  withoutMarks,
  type Rows,
  type Selection,
} from './selection.ts'

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

export function pairUp(before: ComparedRun, after: ComparedRun, what: What): Paired {
  const { measure = measureOf(what.role) } = what
  const { clusters, all, seen, unmatched } = met(rowsOf(before, what), rowsOf(after, what))
  const pairs = all.filter(
    (pair) => measure.decides(pair.before.outcome) && measure.decides(pair.after.outcome),
  )
  const prompts = promptsOf(measure, pairs)
  return {
    measure,
    clusters,
    pairs,
    prompts,
    change: pairedChange(prompts),
    droppedUndecided: all.length - pairs.length,
    unmatched,
    coverage: coverageOf(measure, seen, repliesOf([before, after], what)),
    labels: [labelsOf(before, what), labelsOf(after, what)],
  }
}

interface Met {
  readonly clusters: Clusters
  readonly all: readonly Pair[]
  readonly seen: readonly SeenReply[]
  readonly unmatched: number
}

/** Of the same rows several measures are taken. In the order of their keys, since the bootstrap draws by position. */
const met = ofRows((before, after): Met => {
  const clusters = clustersBetween(withoutMarks(before), withoutMarks(after))
  const [earlier, later] = [byReply(before, clusters), byReply(after, clusters)]
  const one = new Map(earlier)
  const two = new Map(later)
  const all: Pair[] = []
  for (const [key, row] of later) {
    const other = one.get(key)
    if (other) all.push({ before: other, after: row })
  }
  const keys = [...new Set([...one.keys(), ...two.keys()])].sort()
  return {
    clusters,
    all,
    seen: keys.map((key) => ({ before: one.get(key), after: two.get(key) })),
    unmatched: one.size + after.length - 2 * all.length,
  }
})

const byReply = (rows: Rows, clusters: Clusters) =>
  inClusters(rows, clusters)
    .map((row) => [`${row.sampleId}\u0000${row.epoch}`, row] as const)
    .sort(([a], [b]) => (a === b ? 0 : a < b ? -1 : 1))

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
