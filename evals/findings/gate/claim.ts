/**
 * @file A claim on a change: a model state on one benchmark against its margin. PASS where the harm is shown to be below the margin at α
 * with every open reply counted as harm; FAIL rests on the decided pairs, over all claims together (Holm), because one of many
 * may look bad by chance.
 */
import type { Difference, GateClaim, NoiseFloor, OpenReplies } from '../../contract/gate.ts'
import { counted, listed, percent, points, pValueText, signedPoints } from '../../contract/words.ts'
import { comparability, differenceText } from './comparability.ts'
import {
  blankClaim,
  nameOf,
  placeOf,
  selectionOf,
  type ClaimInput,
  type Draft,
} from './claim-input.ts'
import { neededText, openReplies, openText, worstCase } from './coverage.ts'
import { DEGENERATION, measureOf, DEGENERATE_RATE, RATE_NAMES } from './outcomes.ts'
import { clustersText, clustersNeeded } from './tests/by-clusters.ts'
import { harmCounts } from './tests/by-prompts.ts'
import { testClaim } from './tests/claim-test.ts'
import type { ClaimTest } from './tests/evidence.ts'
import { lookText, withLook } from './looks/claim-look.ts'
import { noiseOf, noiseText } from './served/noise.ts'
import { pairUp, type Paired } from './pairs.ts'
import { rowsOf } from './selection.ts'

/** On the benchmark's rate, or on the rate of degenerate replies. */
export const changeClaim = (asked: ClaimInput, isDegeneration = false): Draft =>
  withLook(asked, (each) => changeOf(each, isDegeneration))

function changeOf(asked: ClaimInput, isDegeneration: boolean): Draft {
  const { before, after, benchmark, allow } = asked
  const what = selectionOf(asked)
  const { differences } = comparability(before, after, what, allow)
  const blank = {
    ...blankClaim(asked),
    differences: [...differences],
    ...(isDegeneration && { measures: 'degenerate' as const }),
  }
  const objection = objectionTo(asked, differences)
  if (objection !== undefined) {
    const sentence = `${nameOf(asked)}: ${placeOf(asked)} ${objection}.`
    return { claim: { ...blank, outcome: 'NOT COMPARABLE', sentence }, ifFailed: sentence }
  }
  const measure = isDegeneration ? DEGENERATION : measureOf(benchmark.role)
  const paired = pairUp(before, after, { ...what, role: benchmark.role, measure })
  const { ifFailed, ...tested } = testedOn(paired, asked)
  return { claim: { ...blank, ...tested }, ifFailed }
}

/** p of "the harm of the benchmark's rate is at least the margin", with every open reply counted as harm. */
export function harmAtMargin(asked: ClaimInput): number {
  const what = { ...selectionOf(asked), role: asked.benchmark.role }
  const paired = pairUp(asked.before, asked.after, what)
  const prompts = worstCase(paired.coverage)
  return testClaim({ paired, prompts, margin: asked.margin, look: asked.look })?.below ?? 1
}

function objectionTo(asked: ClaimInput, differences: readonly Difference[]): string | undefined {
  const changed = [asked.before, asked.after].find((run) => run.changed !== undefined)
  if (changed) {
    return `cannot be decided: the database of ${changed.runId} is not as it was written (${changed.changed}). Take a copy from before, or measure again`
  }
  if (asked.against && asked.before.unmeasured !== undefined)
    return `was not measured: ${asked.before.unmeasured}`
  if (asked.after.unmeasured !== undefined) return `was not measured: ${asked.after.unmeasured}`
  if ([asked.before, asked.after].some((run) => rowsOf(run, selectionOf(asked)).length === 0)) {
    return `was not measured on both sides by the judge ${asked.judge || 'that was asked for'}`
  }
  if (differences.length === 0) return undefined
  return `cannot be compared; the two differ in ${listed(differences.map(differenceText))}`
}

function testedOn(paired: Paired, asked: ClaimInput) {
  const { droppedUndecided, measure, prompts, coverage } = paired
  const { benchmark, margin, alpha, look } = asked
  const noise = noiseOf([asked.before, asked.after], selectionOf(asked))
  const { below, above } = beyondNoise(paired, { margin, noise, look })
  const open = openReplies(coverage, (all) => below(all) <= alpha)
  const tests = testClaim({ paired, prompts, margin, look })
  const head = { droppedUndecided, ...(open && { open }), ...(noise && { noise }) }
  if (!tests) {
    const left = open ? `; ${openText(open)}` : ''
    const why = `no prompt of ${placeOf(asked)} was decided both before and after${left}.`
    return { ...head, ...undecided(asked, why) }
  }
  const measured = {
    ...head,
    ...harmCounts(measure, prompts),
    ...ratesOf(paired, tests),
    pBelow: open || noise ? below(open ? worstCase(coverage) : prompts) : tests.below,
    pAbove: noise ? above(prompts) : tests.above,
    method: tests.method,
    ...(tests.clusters && { clusters: tests.clusters }),
    assumptions: [...tests.assumptions],
  }
  const rate = measure === DEGENERATION ? DEGENERATE_RATE : RATE_NAMES[benchmark.role]
  const change = `${nameOf(asked)}: ${rate} on ${placeOf(asked)} ${changeText(paired, { ...measured, unlabelled: tests.unlabelled, apart: tests.apart })}`
  const isBelow = measured.pBelow <= alpha
  const needed = isBelow ? '' : neededBeyond(tests, noise, { margin, alpha })
  return {
    ...measured,
    outcome: isBelow ? ('PASS' as const) : ('INCONCLUSIVE' as const),
    sentence: `${change}; ${belowText(isBelow, { margin, p: measured.pBelow, open })}${needed}${noiseText(noise)}${lookText(look)}.`,
    ifFailed: `${change}; ${aboveText({ margin, p: measured.pAbove, open })}${noiseText(noise)}${lookText(look)}.`,
  }
}

function neededBeyond(
  { clusters }: ClaimTest,
  noise: NoiseFloor | null,
  { margin, alpha }: Pick<ClaimInput, 'margin' | 'alpha'>,
): string {
  const rest = margin - (noise?.upper ?? 0)
  if (rest > 0) return clustersNeeded(clusters, { margin: rest, alpha })
  return '; the margin lies within the noise floor, which more prompts, or a server that repeats itself, would lower'
}

/** p-values of the harm against the margin, less the noise floor to be below it and with it to be above. */
export function beyondNoise(
  paired: Paired,
  {
    margin,
    noise,
    look,
  }: Pick<ClaimInput, 'margin' | 'look'> & { readonly noise: NoiseFloor | null },
) {
  const floor = noise?.upper ?? 0
  const testAt = (prompts: Paired['prompts'], at: number) =>
    at > 0 && at < 1 ? testClaim({ paired, prompts, margin: at, look }) : null
  return {
    below: (prompts: Paired['prompts']) => testAt(prompts, margin - floor)?.below ?? 1,
    above: (prompts: Paired['prompts']) => testAt(prompts, margin + floor)?.above ?? 1,
  }
}

function undecided(asked: ClaimInput, why: string) {
  const sentence = `${nameOf(asked)}: ${why}`
  return { outcome: 'INCONCLUSIVE' as const, sentence, ifFailed: sentence }
}

/** Rates, and harm with its interval, of the decided pairs; there is at least one. */
function ratesOf({ change, measure }: Paired, { harm: corrected, lower, upper }: ClaimTest) {
  const harm = corrected ?? (measure.rises ? 0 - change.difference! : change.difference!)
  return { before: change.before!, after: change.after!, harm, lower, upper }
}

type Measured = ReturnType<typeof ratesOf> &
  Pick<ClaimTest, 'clusters' | 'method' | 'unlabelled' | 'apart'>

/** "97.9 % before, 95.8 % after: harm +2.1 points (95 % interval −1.9 to +6.5, 96 prompts)". */
function changeText(
  { change: { isRepeated, n, prompts } }: Paired,
  { before, after, harm, lower, upper, clusters, method, unlabelled = 0, apart = 0 }: Measured,
): string {
  const size = isRepeated ? `${n} replies to ${counted(prompts, 'prompt')}` : counted(n, 'prompt')
  const interval = `95 % interval ${signedPoints(lower)} to ${signedPoints(upper)}`
  const left =
    unlabelled > 0
      ? ` but for ${counted(unlabelled, 'drawn prompt')} without one, which no PASS leaves out`
      : ''
  const parted =
    apart > 0
      ? `; no one person labelled both replies to ${apart} of the prompts, each harm for a PASS: let one label both`
      : ''
  const by = method === 'labels' ? `, corrected by labels of both states${left}${parted}` : ''
  return `${percent(before)} before, ${percent(after)} after: harm ${signedPoints(harm)} points (${interval}, ${size}${clustersText(clusters)}${by})`
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
