/**
 * @file The claim that a fine-tune learnt what it was for: on its own task it is right more often than its base, by more than a
 * stated gain. It is the test of a harm turned round: before and after change places, and the gain is the margin.
 */
import type { GateClaim } from '../../contract/gate.ts'
import { counted, percent, points, pValueText, signedPoints } from '../../contract/words.ts'
import type { PromptPair } from '../../statistics/repeated.ts'
import { harmCounts } from './by-prompts.ts'
import { testClaim } from './claim-test.ts'
import { blankClaim, nameOf, placeOf, selectionOf, type ClaimInput, type Draft } from './claim-input.ts'
import { openReplies, openText, worstCase } from './coverage.ts'
import { measureOf } from './outcomes.ts'
import { pairUp, type Paired } from './pairs.ts'

/** A margin of 0 has no non-inferiority: this one is below any change of one prompt. */
const LEAST = 1e-6

/** `change` is the claim on a harm, which says it where the two cannot be compared. */
export function gainClaim(asked: ClaimInput, gain: number, change: Draft): Draft {
  if (change.claim.outcome === 'NOT COMPARABLE') return change
  const { before, after, benchmark, alpha } = asked
  const paired = pairUp(before, after, { ...selectionOf(asked), role: benchmark.role })
  const turned = turnedRound(paired)
  const testOn = (prompts: readonly PromptPair[]) =>
    testClaim({ paired: turned, prompts, margin: Math.max(LEAST, gain) })
  const tests = testOn(turned.prompts)
  if (!tests || paired.change.before === null) return change
  const shown = (prompts: readonly PromptPair[]) => testOn(prompts.map(swapped))?.above ?? 1
  const open = openReplies(paired.coverage, (prompts) => shown(prompts) <= alpha)
  const pBelow = open ? shown(worstCase(paired.coverage)) : tests.above
  const passes = pBelow <= alpha
  const { n, prompts } = paired.change
  const improved = tests.harm ?? -paired.change.difference!
  const claim: GateClaim = {
    ...blankClaim({ ...asked, margin: gain }),
    ...harmCounts(measureOf(benchmark.role), paired.prompts),
    gain,
    droppedUndecided: paired.droppedUndecided,
    before: paired.change.before,
    after: paired.change.after,
    harm: 0 - improved,
    lower: 0 - tests.upper,
    upper: 0 - tests.lower,
    pBelow,
    pAbove: tests.below,
    method: tests.method,
    ...(tests.clusters && { clusters: tests.clusters }),
    ...(open && { open }),
    assumptions: [...tests.assumptions],
    outcome: passes ? 'PASS' : 'INCONCLUSIVE',
    sentence: '',
  }
  const size = n > prompts ? `${n} replies to ${counted(prompts, 'row')}` : counted(n, 'row')
  const interval = `95 % interval ${signedPoints(tests.lower)} to ${signedPoints(tests.upper)}`
  const head = `${nameOf(asked)}: right answers on ${placeOf(asked)} ${percent(claim.before!)} before, ${percent(claim.after!)} after: ${signedPoints(improved)} points (${interval}, ${size})`
  const goal = gain > 0 ? `better by more than ${points(gain)}` : 'better than the base'
  const left = open ? ` with ${openText(open)} counted against it` : ''
  return {
    claim: {
      ...claim,
      sentence: `${head}; ${passes ? '' : 'not '}shown to be ${goal} (${pValueText(pBelow)})${left}.`,
    },
    ifFailed: `${head}; shown not to be ${goal} (${pValueText(tests.below)}): it did not learn its task.`,
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
