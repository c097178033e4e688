/**
 * @file The claim that a fine-tune learnt what it was for: on its own task it is right more often than its base, by more than a
 * stated gain. It is the test of a harm turned round: before and after change places, and the gain is the margin.
 */
import type { ClusterFacts, GateClaim } from '../../contract/gate.ts'
import { counted, percent, points, pValueText, signedPoints } from '../../contract/words.ts'
import type { PromptPair } from '../../statistics/repeated.ts'
import { PASSES_FROM } from '../../statistics/paired/dependent.ts'
import { clustersText } from './tests/by-clusters.ts'
import { harmCounts } from './tests/by-prompts.ts'
import { testClaim } from './tests/claim-test.ts'
import {
  blankClaim,
  nameOf,
  placeOf,
  selectionOf,
  type ClaimInput,
  type Draft,
} from './claim-input.ts'
import { openReplies, openText, worstCase } from './coverage.ts'
import { beyondNoise } from './claim.ts'
import { lookText, withLook } from './looks/claim-look.ts'
import { noiseOf, noiseText } from './served/noise.ts'
import { measureOf } from './outcomes.ts'
import { pairUp, type Paired } from './pairs.ts'

/** A margin of 0 has no non-inferiority: this one is below any change of one prompt. */
const LEAST = 1e-6

/** `change` is the claim on a harm, which says it where the two cannot be compared. */
export const gainClaim = (asked: ClaimInput, gain: number, change: Draft): Draft =>
  withLook(asked, (each) => gainOf(each, gain, change))

function gainOf(asked: ClaimInput, gain: number, change: Draft): Draft {
  if (change.claim.outcome === 'NOT COMPARABLE') return change
  const { before, after, benchmark, alpha, look } = asked
  const paired = pairUp(before, after, { ...selectionOf(asked), role: benchmark.role })
  const turned = turnedRound(paired)
  const margin = Math.max(LEAST, gain)
  const tests = testClaim({ paired: turned, prompts: turned.prompts, margin, look })
  if (!tests) return change
  const noise = noiseOf([before, after], selectionOf(asked))
  const { below, above } = beyondNoise(turned, { margin, noise, look })
  const shown = (prompts: readonly PromptPair[]) => above(prompts.map(swapped))
  const open = openReplies(paired.coverage, (prompts) => shown(prompts) <= alpha)
  const few = tooFew(tests.clusters)
  const pBelow = few === '' ? shown(open ? worstCase(paired.coverage) : paired.prompts) : 1
  const { before: was, after: is, difference } = paired.change
  const claim = {
    ...blankClaim({ ...asked, margin: gain }),
    ...harmCounts(measureOf(benchmark.role), paired.prompts),
    ...{ gain, before: was, after: is, method: tests.method },
    ...{ pBelow, pAbove: below(turned.prompts) },
    lower: 0 - tests.upper,
    upper: 0 - tests.lower,
    harm: tests.harm === undefined ? difference : 0 - tests.harm,
    droppedUndecided: paired.droppedUndecided,
    ...(tests.clusters && { clusters: tests.clusters }),
    ...(open && { open }),
    ...(noise && { noise }),
    assumptions: [...tests.assumptions],
  }
  const isOfAnswers = benchmark.role === 'capability'
  const passes = isOfAnswers && pBelow <= alpha
  const said = wordsOf(asked, claim, { passes, few })
  const sentence = isOfAnswers ? said.sentence : ofNoAnswers(said.sentence, benchmark.role)
  const outcome = passes ? ('PASS' as const) : ('INCONCLUSIVE' as const)
  return { claim: { ...claim, outcome, sentence }, ifFailed: said.ifFailed }
}

/** Of few clusters those that lost may all have been missed, as of a harm. */
const tooFew = (facts: ClusterFacts | undefined): string =>
  facts && facts.clusters < PASSES_FROM
    ? `; ${counted(facts.clusters, 'cluster')} cannot show it, ${PASSES_FROM} could`
    : ''

/** Of refusals a gain rests on a judge's word, which nothing here confirms. */
const ofNoAnswers = (sentence: string, role: string): string =>
  `${sentence.slice(0, -1)}: a gain passes for right answers alone, and this is ${role}. Give it a margin without a gain.`

/** "lora (seed 0): right answers on Task of a.jsonl 30.0 % before, 60.0 % after: +30.0 points (…); shown to be better …". */
function wordsOf(
  asked: ClaimInput,
  claim: Omit<GateClaim, 'outcome' | 'sentence'>,
  { passes, few }: { readonly passes: boolean; readonly few: string },
) {
  const { n, before, after, harm, lower, upper, gain = 0, pBelow, pAbove, open, noise } = claim
  const size = `${counted(n, 'row')}${clustersText(claim.clusters)}`
  const interval = `95 % interval ${signedPoints(-upper!)} to ${signedPoints(-lower!)}`
  const rates = `${percent(before!)} before, ${percent(after!)} after: ${signedPoints(0 - harm!)} points`
  const head = `${nameOf(asked)}: right answers on ${placeOf(asked)} ${rates} (${interval}, ${size})`
  const goal = gain > 0 ? `better by more than ${points(gain)}` : 'better than the base'
  const left = `${few}${open ? ` with ${openText(open)} counted against it` : ''}${noiseText(noise ?? null)}${lookText(asked.look)}`
  return {
    sentence: `${head}; ${passes ? '' : 'not '}shown to be ${goal} (${pValueText(pBelow!)})${left}.`,
    ifFailed: `${head}; shown not to be ${goal} (${pValueText(pAbove!)})${noiseText(noise ?? null)}${lookText(asked.look)}: it did not learn its task.`,
  }
}

const swapped = <P extends PromptPair>(pair: P): P => ({
  ...pair,
  before: pair.after,
  after: pair.before,
})

const turnedRound = ({ pairs, prompts, labels, ...paired }: Paired): Paired => ({
  ...paired,
  pairs: pairs.map(({ before, after }) => ({ before: after, after: before })),
  prompts: prompts.map(swapped),
  labels: [labels[1], labels[0]],
})
