/**
 * @file One claim: a model state on one benchmark against its margin. PASS where the harm is shown to be below the margin at α
 * with every open reply counted as harm; FAIL rests on the decided pairs, over all claims together (Holm), because one of many
 * may look bad by chance.
 */
import type { ComparedField, Difference, GateClaim, OpenReplies } from '../../contract/gate.ts'
import {
  counted,
  listed,
  percent,
  points,
  pValueText,
  signedPoints,
  stateInSentence,
} from '../../contract/words.ts'
import { comparability, differenceText } from './comparability.ts'
import type { ComparedBenchmark, ComparedRun } from './compared-run.ts'
import { neededText, openReplies, openText, worstCase } from './coverage.ts'
import { DEGENERATION, measureOf } from './outcomes.ts'
import { clustersText, clustersNeeded } from './by-clusters.ts'
import { harmCounts, testClaim } from './claim-test.ts'
import type { ClaimTest } from './evidence.ts'
import { pairUp, type Paired } from './pairs.ts'
import { rowsOf, type Selection } from './selection.ts'
import { DEGENERATE_RATE, nothingToLose, RATE_NAMES } from './rates.ts'

/** What a claim is about: a pair of states, a benchmark by a judge, and where asked for a category or a context of it. */
interface ClaimInput extends Pick<Selection, 'category' | 'context'> {
  readonly before: ComparedRun
  readonly after: ComparedRun
  readonly benchmark: Pick<ComparedBenchmark, 'name' | 'title' | 'role'>
  readonly judge: string
  readonly margin: number
  readonly alpha: number
  readonly allow: readonly ComparedField[]
}

/** A claim before Holm, which says FAIL nowhere, and its sentence should Holm reject "the harm is at most the margin". */
export interface Draft {
  readonly claim: GateClaim
  readonly ifFailed: string
}

const selectionOf = ({ benchmark, judge, category, context }: ClaimInput): Selection => ({
  benchmark: benchmark.name,
  judge,
  ...(category !== undefined && { category }),
  ...(context !== undefined && { context }),
})

/**
 * The claim on the benchmark's rate. A second one, on the rate of degenerate replies, where there are any after, or where a PASS
 * on the rate does not exclude that there are as many as the margin.
 */
export function claimsOn(given: ClaimInput): Draft[] {
  const asked = withRoleOfJudge(given)
  const rate = claimOf(asked, false)
  const { outcome } = rate.claim
  if (outcome === 'NOT COMPARABLE') return [rate]
  const occurs = rowsOf(asked.after, selectionOf(asked)).some((row) => row.outcome === 'degenerate')
  const isDoubtful = outcome === 'PASS' && asked.benchmark.role !== 'capability'
  if (!occurs && !isDoubtful) return [rate]
  const text = claimOf(asked, true)
  return occurs || text.claim.outcome !== 'PASS' ? [rate, text] : [rate]
}

/** In a foreign log each metric of a task has a role of its own, and is a judge of its own. */
function withRoleOfJudge(asked: ClaimInput): ClaimInput {
  const role = [asked.before, asked.after].flatMap((run) => rowsOf(run, selectionOf(asked)))[0]
    ?.role
  return role ? { ...asked, benchmark: { ...asked.benchmark, role } } : asked
}

function claimOf(asked: ClaimInput, isDegeneration: boolean): Draft {
  const { before, after, benchmark, allow } = asked
  const what = selectionOf(asked)
  const { differences } = comparability(before, after, what, allow)
  const { arm, seed, step } = after
  const blank = {
    arm,
    seed,
    step,
    ...what,
    role: benchmark.role,
    margin: asked.margin,
    alpha: asked.alpha,
    ...EMPTY,
    differences: [...differences],
    ...(isDegeneration && { measures: 'degenerate' as const }),
  }
  const objection = objectionTo(asked, differences)
  if (objection !== undefined) {
    const sentence = `${nameOf(asked)}: ${benchmark.title} ${objection}.`
    return { claim: { ...blank, outcome: 'NOT COMPARABLE', sentence }, ifFailed: sentence }
  }
  const measure = isDegeneration ? DEGENERATION : measureOf(benchmark.role)
  const paired = pairUp(before, after, { ...what, role: benchmark.role, measure })
  const { ifFailed, ...tested } = testedOn(paired, asked)
  return { claim: { ...blank, ...tested }, ifFailed }
}

const nameOf = ({ after: { arm, seed } }: ClaimInput) => stateInSentence({ arm, seed })

function objectionTo(asked: ClaimInput, differences: readonly Difference[]): string | undefined {
  if ([asked.before, asked.after].some((run) => rowsOf(run, selectionOf(asked)).length === 0)) {
    return `was not measured on both sides by the judge ${asked.judge || 'that was asked for'}`
  }
  if (differences.length === 0) return undefined
  return `cannot be compared; the two differ in ${listed(differences.map(differenceText))}`
}

const EMPTY = {
  n: 0,
  lost: 0,
  gained: 0,
  before: null,
  after: null,
  harm: null,
  lower: null,
  upper: null,
  pBelow: null,
  pAbove: null,
  method: null,
  droppedUndecided: 0,
}

function testedOn(paired: Paired, asked: ClaimInput) {
  const { droppedUndecided, measure, prompts, coverage } = paired
  const { benchmark, margin, alpha } = asked
  const testOn = (all: Paired['prompts']) => testClaim({ paired, prompts: all, margin })
  const below = (all: Paired['prompts']) => testOn(all)?.below ?? 1
  const open = openReplies(coverage, (all) => below(all) <= alpha)
  const tests = testOn(prompts)
  const head = { droppedUndecided, ...(open && { open }) }
  if (!tests) {
    const left = open ? `; ${openText(open)}` : ''
    const why = `no prompt of ${benchmark.title} was decided both before and after${left}.`
    return { ...head, ...undecided(asked, why) }
  }
  const measured = {
    ...head,
    ...harmCounts(measure, prompts),
    ...ratesOf(paired, tests),
    pBelow: open ? below(worstCase(coverage)) : tests.below,
    pAbove: tests.above,
    method: tests.method,
    ...(tests.clusters && { clusters: tests.clusters }),
    assumptions: [...tests.assumptions],
  }
  const isRate = measure !== DEGENERATION
  const nothing = isRate && nothingToLose(benchmark, measured.before, margin)
  // Not part of Holm's family: there is nothing that could fail.
  if (nothing) return { ...measured, pAbove: null, ...undecided(asked, nothing) }
  const rate = isRate ? RATE_NAMES[benchmark.role] : DEGENERATE_RATE
  const change = `${nameOf(asked)}: ${rate} on ${benchmark.title} ${changeText(paired, measured)}`
  const isBelow = measured.pBelow <= alpha
  const needed = isBelow ? '' : clustersNeeded(tests.clusters, { margin, alpha })
  return {
    ...measured,
    outcome: isBelow ? ('PASS' as const) : ('INCONCLUSIVE' as const),
    sentence: `${change}; ${belowText(isBelow, { margin, p: measured.pBelow, open })}${needed}.`,
    ifFailed: `${change}; ${aboveText({ margin, p: tests.above, open })}.`,
  }
}

function undecided(asked: ClaimInput, why: string) {
  const sentence = `${nameOf(asked)}: ${why}`
  return { outcome: 'INCONCLUSIVE' as const, sentence, ifFailed: sentence }
}

/** Rates, and harm with its interval, of the decided pairs; there is at least one. */
function ratesOf({ change, measure }: Paired, { lower, upper }: ClaimTest) {
  const harm = measure.rises ? 0 - change.difference! : change.difference!
  return { before: change.before!, after: change.after!, harm, lower, upper }
}

type Measured = ReturnType<typeof ratesOf> & Pick<ClaimTest, 'clusters'>

/** "97.9 % before, 95.8 % after: harm +2.1 points (95 % interval −1.9 to +6.5, 96 prompts)". */
function changeText(
  { change: { isRepeated, n, prompts } }: Paired,
  { before, after, harm, lower, upper, clusters }: Measured,
): string {
  const size = isRepeated ? `${n} replies to ${counted(prompts, 'prompt')}` : counted(n, 'prompt')
  const interval = `95 % interval ${signedPoints(lower)} to ${signedPoints(upper)}`
  return `${percent(before)} before, ${percent(after)} after: harm ${signedPoints(harm)} points (${interval}, ${size}${clustersText(clusters)})`
}

interface Shown {
  readonly margin: number
  readonly p: number
  readonly open: OpenReplies | undefined
}

function belowText(isBelow: boolean, { margin, p, open }: Shown): string {
  const shown = `${isBelow ? '' : 'not '}shown to be below the margin of ${points(margin)} (${pValueText(p)})`
  if (!open) return shown
  const asHarm = `${shown} with ${openText(open)} counted as harm`
  return isBelow ? asHarm : `${asHarm}; ${neededText(open)}`
}

function aboveText({ margin, p, open }: Shown): string {
  const shown = `shown to be above the margin of ${points(margin)} (${pValueText(p)})`
  return open ? `${shown}, ${openText(open)} left out` : shown
}

/** The same claim, failed: Holm has rejected "the harm is at most the margin". */
export const failed = ({ claim, ifFailed }: Draft): GateClaim => ({
  ...claim,
  outcome: 'FAIL',
  sentence: ifFailed,
})
