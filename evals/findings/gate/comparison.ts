/**
 * @file Two model states on every benchmark that both have: flips first, then paired tests and intervals, Holm over all.
 * Where the two may not be compared there are no numbers, only the differences.
 */
import type { Difference } from '../../contract/gate.ts'
import type { ComparedField } from '../../contract/gate/rule.ts'
import type { BenchmarkRole, Outcome, SubjectKey } from '../../contract/rows.ts'
import { holm } from '../../statistics/paired/holm.ts'
import { comparability } from './comparability.ts'
import type { ComparedBenchmark, ComparedRun } from './compared-run.ts'
import { pairUp, type Paired } from './pairs.ts'
import type { Selection } from './selection.ts'

export interface ComparedFlip {
  readonly benchmark: string
  readonly judge: string
  readonly context?: string
  readonly sampleId: string
  readonly epoch: number
  readonly category: string
  readonly prompt: string | null
  readonly before: Outcome
  readonly after: Outcome
}

/** `difference` = after − before of the benchmark's rate, with its 95 % interval; null where the two may not be compared. */
export interface ComparisonRow {
  readonly benchmark: string
  readonly title: string
  readonly role: BenchmarkRole
  readonly judge: string
  /** In which the prompts were put, by name. */
  readonly context?: string
  readonly differences: readonly Difference[]
  readonly allowed: readonly Difference[]
  /** Fields that are unknown on both sides. */
  readonly unknown: readonly ComparedField[]
  /** Number of pairs of replies, and of their prompts. */
  readonly n: number
  readonly prompts: number
  readonly before: number | null
  readonly after: number | null
  readonly difference: number | null
  readonly lower: number | null
  readonly upper: number | null
  /** Counted before only and after only. */
  readonly onlyBefore: number
  readonly onlyAfter: number
  /** Exact McNemar and mid-p; where prompts were answered more than once, the exact sign-flip test over prompts and no mid-p. */
  readonly pValue: number | null
  readonly midP: number | null
  /** Whether the exact p stands at 5 % after Holm over all rows of all pairs. */
  readonly isSignificant: boolean
  readonly droppedUndecided: number
  readonly unmatched: number
}

export interface StateName extends SubjectKey {
  readonly runId: string
  readonly origin: string
}

export interface Comparison {
  readonly before: StateName
  readonly after: StateName
  readonly flips: readonly ComparedFlip[]
  readonly rows: readonly ComparisonRow[]
}

const nameOf = ({ runId, origin, arm, seed, step }: ComparedRun): StateName => ({
  runId,
  origin,
  arm,
  seed,
  step,
})

/** Every pair on every benchmark and judge that both sides have. */
export function compareRuns(
  pairs: readonly (readonly [ComparedRun, ComparedRun])[],
  allow: readonly ComparedField[] = [],
): Comparison[] {
  const compared = pairs.map(([before, after]) => {
    const made = sharedBy(before, after).map((what) => compareOn(before, after, what, allow))
    return { before: nameOf(before), after: nameOf(after), made }
  })
  const tested = compared.flatMap(({ made }) => made.filter(({ row }) => row.pValue !== null))
  const rejected = holm(tested.map(({ row }) => row.pValue!))
  const significant = new Set(tested.filter((_, i) => rejected[i]))
  return compared.map(({ before, after, made }) => ({
    before,
    after,
    flips: made.flatMap(({ flips }) => flips),
    rows: made.map((each) => ({ ...each.row, isSignificant: significant.has(each) })),
  }))
}

interface What extends Selection {
  readonly title: string
  readonly role: BenchmarkRole
}

function sharedBy(before: ComparedRun, after: ComparedRun): What[] {
  // Each metric of a foreign task is a judge with a role of its own.
  const rolesOf = ({ judged }: ComparedRun, { name, context }: ComparedBenchmark) =>
    new Map(
      judged
        .filter((row) => row.benchmark === name && row.context === context?.name)
        .map(({ judge, role }) => [judge, role]),
    )
  return before.benchmarks.flatMap((asked) => {
    const { name, title, context } = asked
    const put = context && { context: context.name }
    const theirs = rolesOf(after, asked)
    return [...rolesOf(before, asked)]
      .filter(([judge]) => theirs.has(judge))
      .map(([judge, role]) => ({ benchmark: name, title, role, judge, ...put }))
  })
}

function compareOn(
  before: ComparedRun,
  after: ComparedRun,
  what: What,
  allow: readonly ComparedField[],
): { row: ComparisonRow; flips: ComparedFlip[] } {
  const guard = comparability(before, after, what, allow)
  const blank = {
    ...what,
    ...guard,
    n: 0,
    prompts: 0,
    before: null,
    after: null,
    difference: null,
    lower: null,
    upper: null,
    onlyBefore: 0,
    onlyAfter: 0,
    pValue: null,
    midP: null,
    isSignificant: false,
    droppedUndecided: 0,
    unmatched: 0,
  }
  if (guard.differences.length > 0) return { row: blank, flips: [] }
  const paired = pairUp(before, after, what)
  return { row: { ...blank, ...numbersOf(paired) }, flips: flipsOf(paired) }
}

function numbersOf({ change, droppedUndecided, unmatched }: Paired) {
  const { b, c, n, prompts, before, after, difference, lower, upper, pValue, midP } = change
  // The sign changes, so the limits swap.
  const turned = (value: number | null) => (value === null ? null : 0 - value)
  return {
    n,
    prompts,
    droppedUndecided,
    unmatched,
    onlyBefore: b,
    onlyAfter: c,
    before,
    after,
    difference: turned(difference),
    lower: turned(upper),
    upper: turned(lower),
    pValue: n === 0 ? null : pValue,
    midP: n === 0 ? null : midP,
  }
}

const flipsOf = ({ pairs, measure: { counts } }: Paired): ComparedFlip[] =>
  pairs
    .filter(({ before, after }) => counts(before.outcome) !== counts(after.outcome))
    .map(({ before, after }) => ({
      benchmark: after.benchmark,
      judge: after.judge,
      ...(after.context !== undefined && { context: after.context }),
      sampleId: after.sampleId,
      epoch: after.epoch,
      category: after.category,
      prompt: after.prompt,
      before: before.outcome,
      after: after.outcome,
    }))
