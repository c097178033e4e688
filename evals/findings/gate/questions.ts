/** @file Every claim on one benchmark for one pair of states: in each context its rate, degenerate replies, bounds and categories. */
import type { GatedBenchmark } from '../../contract/gate/rule.ts'
import { stateKey } from '../../contract/keys.ts'
import { levelAt } from '../../statistics/sequential/look.ts'
import {
  blankClaim,
  nameOf,
  placeOf,
  selectionOf,
  type ClaimInput,
  type Draft,
} from './claim-input.ts'
import { measurableCategory } from './categories/category-level.ts'
import { boundClaims } from './bounds.ts'
import { changeClaim } from './claim.ts'
import { confirmedChange } from './judges/confirm.ts'
import { contested } from './judges/contest.ts'
import { clustersBetween } from './clusters.ts'
import { withKnownUnits } from './units.ts'
import { gainClaim } from './gain.ts'
import type { ComparedRun } from './compared-run.ts'
import type { ClaimLook } from './looks/at-look.ts'
import { lookOf } from './looks/claim-look.ts'
import { lostPart } from './categories/lost-part.ts'
import { unmeasurableClaim } from './measurable.ts'
import { rowsOf } from './selection.ts'
import { withDoubt } from './served/another-model.ts'
import { unendedDoubt } from './unended.ts'

/** A category that lost half of what it did is lost, however small it is beside the others. */
export const DEFAULT_CATEGORY_MARGIN = 0.5

interface Reference {
  readonly name: string
  readonly run: ComparedRun | undefined
  readonly margin: number
}

interface Question extends ClaimInput {
  readonly named: Omit<GatedBenchmark, 'margin' | 'alpha' | 'judge'>
  /** The pinned reference with the margin of what may be lost since; `run` is undefined where it cannot be read any more. */
  readonly reference?: Reference | undefined
}

export function claimsOn(given: Question): Draft[] {
  const asked = withRoleOfJudge(given)
  // In no context either.
  if (asked.after.unmeasured !== undefined) return [changeClaim(asked)]
  return contextsOf(asked).flatMap((context) => {
    const of = { benchmark: asked.benchmark.name, ...context }
    const look = lookOf(asked.after, of, asked.alpha)
    const inContext = { ...asked, ...context, look }
    const unmeasurable = unmeasurableClaim(inContext)
    return unmeasurable ? [unmeasurable] : claimsIn(inContext)
  })
}

/** Those that a side knows, the prompts as they are first; where nothing was measured the claim on these says so. */
function contextsOf({ before, after, benchmark, judge }: Question): Pick<ClaimInput, 'context'>[] {
  const known = [before, after].flatMap(({ benchmarks, judged }) => [
    ...benchmarks.flatMap(({ name, context }) => (name === benchmark.name ? [context?.name] : [])),
    ...judged.flatMap((row) =>
      row.benchmark === benchmark.name && row.judge === judge ? [row.context] : [],
    ),
  ])
  const all = new Set(known)
  const named = [...all].flatMap((context) => (context === undefined ? [] : { context }))
  return all.size === named.length && named.length > 0 ? named : [{}, ...named]
}

function claimsIn(asked: Question): Draft[] {
  const gain = asked.named.gain ?? asked.benchmark.gain
  const whole = wholeClaims(asked)
  // What was gained on the whole may be lost in a part, or with text that is broken.
  if (gain != null) whole[0] = withKnownUnits(asked, gainClaim(asked, gain, changeClaim(asked)))
  if (whole[0]!.claim.outcome === 'NOT COMPARABLE') return whole
  return [
    ...whole,
    ...sinceReference(asked),
    ...boundClaims(asked, asked.named),
    ...categoryClaims(asked),
  ]
}

/**
 * The claim on the benchmark's rate. A second one, on the rate of degenerate replies, where there are any after, or where a PASS
 * on the rate does not exclude that there are as many as the margin.
 */
function wholeClaims(asked: ClaimInput): Draft[] {
  const told = confirmedChange(asked, contested(asked, changeClaim(asked)))
  const unended = told.claim.outcome === 'PASS' ? unendedDoubt(asked) : undefined
  const rate = withKnownUnits(asked, unended === undefined ? told : withDoubt(told, unended))
  const { outcome } = rate.claim
  if (outcome === 'NOT COMPARABLE') return [rate]
  const occurs = rowsOf(asked.after, selectionOf(asked)).some((row) => row.outcome === 'degenerate')
  const isDoubtful = outcome === 'PASS' && asked.benchmark.role !== 'capability'
  if (!occurs && !isDoubtful) return [rate]
  const text = withKnownUnits(asked, changeClaim(asked, true))
  return occurs || text.claim.outcome !== 'PASS' ? [rate, text] : [rate]
}

/** In a foreign log each metric of a task has a role of its own, and is a judge of its own. */
function withRoleOfJudge(asked: Question): Question {
  const { name } = asked.benchmark
  const role = [asked.before, asked.after]
    .flatMap(({ judged }) => judged)
    .find((row) => row.benchmark === name && row.judge === asked.judge)?.role
  return role ? { ...asked, benchmark: { ...asked.benchmark, role } } : asked
}

const confirmed = (asked: ClaimInput): Draft =>
  withKnownUnits(asked, confirmedChange(asked, changeClaim(asked)))

function sinceReference({ reference, ...asked }: Question): Draft[] {
  if (!reference) return []
  const { run, name, margin } = reference
  const against = 'reference'
  if (run && isOneState(run, asked.after)) return [ofItself(asked, reference)]
  if (run) return [confirmed({ ...asked, margin, against, before: run })]
  const sentence = `${nameOf(asked)}: the loss on ${placeOf(asked)} since ${name} is not known, as that run is not at hand.`
  const blank = blankClaim({ ...asked, margin, against })
  return [{ claim: { ...blank, outcome: 'NOT COMPARABLE', sentence }, ifFailed: sentence }]
}

/** Nothing is lost since a state that is held against itself. */
function ofItself(asked: ClaimInput, { name, margin }: Reference): Draft {
  const sentence = `${nameOf(asked)}: the loss on ${placeOf(asked)} since ${name} is not known, as the reference is this fine-tune itself; name the run of an earlier release.`
  const blank = blankClaim({ ...asked, margin, against: 'reference' })
  return { claim: { ...blank, outcome: 'INCONCLUSIVE', sentence }, ifFailed: sentence }
}

/** By weights; of a training by its run, state and outcomes. */
const isOneState = (one: ComparedRun, two: ComparedRun): boolean =>
  (one.weights !== undefined && one.weights === two.weights) ||
  (one.runId === two.runId && stateKey(one) === stateKey(two) && saidIn(one) === saidIn(two))

const saidIn = ({ judged }: ComparedRun) =>
  JSON.stringify(judged.map(({ sampleId, judge, outcome }) => [sampleId, judge, outcome]))

function categoryClaims(asked: Question): Draft[] {
  const { named, margin: whole, alpha } = asked
  if (named.categories === false) return []
  const margin = named.categories ?? Math.max(whole, DEFAULT_CATEGORY_MARGIN)
  // Who wants no bound on the whole wants none on a part.
  const isBounded =
    (asked.benchmark.role === 'over-refusal' ? named.ceiling : named.floor) !== false
  const { groups, small } = categoryGroups(
    asked,
    leastPrompts(margin, lastLevel(asked.look, alpha)),
  )
  const look = asked.look && { ...asked.look, left: null }
  const within = (categories: readonly string[]) => ({ ...asked, categories, margin, look })
  const claims = groups.map((categories) => {
    const own = within(categories)
    if (rowsOf(own.after, selectionOf(own)).length === 0) return notAsked(own)
    return isBounded ? measurableCategory(own, confirmed(own)) : confirmed(own)
  })
  return [
    ...claims,
    ...small.flatMap((category) => lostPart(within([category]), whole, small.length) ?? []),
  ]
}

/** At which a claim is decided when every prompt was asked. */
const lastLevel = (look: ClaimLook | undefined, alpha: number): number =>
  look ? levelAt({ ...look, at: look.fractions.length - 1 }, alpha) : alpha

/** A stop before the first prompt of a category says nothing of it. */
function notAsked(asked: ClaimInput): Draft {
  const sentence = `${nameOf(asked)}: ${placeOf(asked)} was not asked before the stop.`
  const claim = { ...blankClaim(asked), outcome: 'INCONCLUSIVE' as const, sentence }
  return { claim, ifFailed: sentence }
}

/** Without a loss in n prompts the exact p is (1 − δ)ⁿ: fewer prompts than this cannot pass. */
export const leastPrompts = (margin: number, alpha: number): number =>
  Math.ceil(Math.log(alpha) / Math.log(1 - margin) - 1e-9)

/**
 * Categories of fewer than `least` prompts, or clusters of prompts, together with the next smallest; none where there is one group
 * only. At a look they are those of all prompts: a category of ten is not hidden in another while only two of it were asked.
 */
function categoryGroups(asked: ClaimInput, least: number): Groups {
  const [before, after] = [asked.before, asked.after].map((run) => rowsOf(run, selectionOf(asked)))
  const { of } = clustersBetween(before!, after!)
  const rows = [...before!, ...after!]
  const seen = [...Map.groupBy(rows, ({ category }) => category)].map(
    ([category, own]) =>
      [category, new Set(own.map(({ sampleId }) => of.get(sampleId) ?? sampleId)).size] as const,
  )
  const groups = [...wholeSizes(asked, new Map(seen))]
    .map(([category, size]) => ({ names: [category], size }))
    .sort((a, b) => a.size - b.size || (a.names[0]! < b.names[0]! ? -1 : 1))
  while (groups.length > 1 && groups[0]!.size < least) {
    const [one, two] = groups.splice(0, 2) as [(typeof groups)[0], (typeof groups)[0]]
    groups.push({ names: [...one.names, ...two.names], size: one.size + two.size })
    groups.sort((a, b) => a.size - b.size)
  }
  return {
    groups: groups.length < 2 ? [] : groups.map(({ names }) => names.toSorted()),
    small: groups.flatMap(({ names }) => (names.length > 1 ? names : [])).toSorted(),
  }
}

interface Groups {
  readonly groups: readonly (readonly string[])[]
  /** Those that are in no group of their own. */
  readonly small: readonly string[]
}

/** Where a look saw a part of the prompts, the sizes among all of them; in proportion where the run does not say. */
function wholeSizes({ look }: ClaimInput, seen: ReadonlyMap<string, number>): Map<string, number> {
  if (!look) return new Map(seen)
  const { categories, at, seen: looks } = look.stopped
  const [now, all] = [looks[at]!.units, looks.at(-1)!.units]
  const known = categories?.map(({ name, units }) => [name, units] as const) ?? []
  const guessed = [...seen].map(([name, size]) => [name, Math.ceil((size * all) / now)] as const)
  return new Map(categories ? [...seen, ...known] : guessed)
}
