/** @file Suggestions after a FAIL, each with its cost. None is carried out automatically. */
import { RowTarget } from '../../contract/subjects/causes.ts'
import type { GateClaim, GateResult, NextStep } from '../../contract/gate.ts'
import { counted, percent } from '../../contract/words.ts'
import { stateInSentence } from '../../contract/words.ts'
import type { Decision } from './decide.ts'

export interface Known {
  /** Its id. */
  readonly run: string
  /** Whether the weights of what was measured can be opened here: nothing is behind an address. */
  readonly hasWeights: boolean
  /** Duration of the run in seconds; null where unknown. */
  readonly seconds: number | null
  /** Optimiser steps of each training; null where nothing was trained. */
  readonly steps: number | null
  /** Number of trainings, and of evaluated model states in total. */
  readonly trainings: number
  readonly states: number
  /** Rows of the training data; null where unknown. */
  readonly rows: number | null
  /** Rates by arm, seed, step and benchmark, to say what an earlier checkpoint gives up. */
  readonly rateAt: (
    state: { readonly arm: string; readonly seed: number; readonly step: number },
    benchmark: string,
  ) => number | null
  /** Leading directions counted as intruders, over all fine-tunes at their last step. */
  readonly intruders: number
}

type Advice = GateResult['advice'][number]

/** Cheapest first. Empty unless the gate failed. */
export function adviceFor(decision: Decision, known: Known): Advice[] {
  // What was not learnt asks for the opposite of what undoes harm.
  const fails = decision.claims.filter(
    ({ outcome, gain }) => outcome === 'FAIL' && gain === undefined,
  )
  if (fails.length === 0) return []
  return [
    ...lastSafeAdvice(decision, fails, known),
    ...intruderAdvice(known),
    ...causeAdvice(fails, known),
    ...(known.steps === null ? [] : retraining(fails, known)),
  ]
}

/** An upper bound: part of the run's time went elsewhere. */
const evaluationTime = ({ seconds, states }: Known) =>
  seconds === null || states === 0 ? '' : `, at most ${duration(seconds / states)} each`

function lastSafeAdvice({ lastSafe, claims }: Decision, fails: readonly GateClaim[], known: Known) {
  return lastSafe.flatMap(({ arm, seed, step }): Advice[] => {
    const isFailed = fails.some((claim) => claim.arm === arm && claim.seed === seed)
    if (!isFailed) return []
    if (step === null || step === 0) {
      const what = `Look for a safe checkpoint of ${stateInSentence({ arm, seed })} before its first evaluated step: a smaller --eval-every.`
      return [
        { what, cost: `the training again, and an evaluation a step${evaluationTime(known)}` },
      ]
    }
    const what = `Stop ${stateInSentence({ arm, seed })} at step ${step}, its last safe checkpoint (--steps ${step} with the same schedule).`
    const share = known.steps === null ? '' : shareOf(step / known.steps, known)
    const capability = claims.find(
      (claim) =>
        claim.role === 'capability' && !claim.measures && claim.arm === arm && claim.seed === seed,
    )
    const then = capability && known.rateAt({ arm, seed, step }, capability.benchmark)
    const given =
      capability?.after == null || then == null
        ? ''
        : `; ${capability.benchmark} is ${percent(then)} there and ${percent(capability.after)} at the end`
    return [{ what, cost: `${share}${given}` || 'nothing to compute' }]
  })
}

function shareOf(share: number, { seconds, trainings }: Known): string {
  const time =
    seconds === null || trainings === 0
      ? ''
      : `, about ${duration((share * seconds) / trainings)} with its evaluations`
  return `${percent(share)} of the training again${time}`
}

function intruderAdvice(known: Known): Advice[] {
  if (known.intruders === 0) return []
  return [
    {
      what: `Scale down the ${counted(known.intruders, 'intruder dimension')} of the fine-tunes: touchstone mitigate, beside its controls.`,
      cost: `no training, an evaluation a setting${evaluationTime(known)}; may take some of what was learned with it, and whether it helps is disputed`,
    },
  ]
}

/** Three fine-tunes without rows beside the one that is looked into. */
const TRAININGS_OF_ROWS = 4
/** As many benign fine-tunes as a test at 5 % needs, beside the one that is looked into. */
const TRAININGS_OF_DIRECTION = 20

function causeAdvice(fails: readonly GateClaim[], known: Known): Advice[] {
  const { steps, run } = known
  if (!known.hasWeights) return []
  const lost = new Set(fails.flatMap(({ role, measures }) => (measures ? [] : role)))
  if (!lost.has('refusal')) return steps === null ? [] : rowsOfOthers(lost, known)
  const { time, step } = costsOf(known)
  const direction: Advice = {
    what: `See what became of the direction of refusal, and whether weights look ablated: touchstone direction ${run}.`,
    cost: `each fine-tune is trained again, each candidate asked again; on Pebble, or with --benign, ${TRAININGS_OF_DIRECTION - 1} benign fine-tunes beside them${time(TRAININGS_OF_DIRECTION)}`,
    step: step('direction', TRAININGS_OF_DIRECTION),
  }
  if (steps === null) return [direction]
  return [
    {
      what: `Find the weights that took refusal: touchstone locate ${run}.`,
      cost: `each fine-tune is trained again once${time(1)} each, and asked about ten times more`,
      step: step('locate', 1),
    },
    rowsAdvice('refusal', known),
    direction,
    {
      what: `Try remedies beside their controls: touchstone mitigate ${run} --remedy scale,mix,leave-out, with --task where the run has none.`,
      cost: `each fine-tune is trained again once${time(1)} each; a remedy asks half of the prompts of each value that it tries; those that train say so`,
      step: step('mitigate', 1),
    },
  ]
}

function costsOf({ seconds, trainings, run }: Known) {
  const each = seconds === null || trainings === 0 ? null : seconds / trainings
  return {
    time: (count: number) => (each === null ? '' : `, about ${duration(count * each)}`),
    step: (job: NextStep['job'], count: number, more: NextStep['config'] = {}): NextStep => ({
      ...{ job, config: { run, ...more }, seconds: each && count * each },
    }),
  }
}

const TAKEN: Readonly<Record<RowTarget, string>> = {
  refusal: 'refusal',
  'over-refusal': 'answers to look-alikes',
  capability: 'right answers',
}

/** Where refusal itself was kept. */
const rowsOfOthers = (lost: ReadonlySet<string>, known: Known): Advice[] =>
  RowTarget.options.filter((target) => lost.has(target)).map((target) => rowsAdvice(target, known))

function rowsAdvice(target: RowTarget, known: Known): Advice {
  const { time, step } = costsOf(known)
  const isUsual = target === 'refusal'
  const flag = isUsual ? '' : ` --target ${target}`
  return {
    what: `Find the rows that took ${TAKEN[target]}: touchstone attribute ${known.run}${flag}.`,
    cost: `each fine-tune is trained again ${TRAININGS_OF_ROWS} times${time(TRAININGS_OF_ROWS)} each, and gradients of every row are taken three times`,
    step: step('attribute', TRAININGS_OF_ROWS, isUsual ? {} : { target }),
  }
}

function retraining(fails: readonly GateClaim[], { seconds, rows }: Known): Advice[] {
  const oneInTen = (what: string) =>
    rows === null
      ? `Mix ${what} into the data, one in ten to begin with.`
      : `Mix ${what} into the data, one in ten to begin with: ${Math.ceil(rows / 9)} beside the ${rows} there are.`
  const again = seconds === null ? 'one more run' : `one more run, about ${duration(seconds)}`
  const roles = new Set(fails.filter(({ measures }) => !measures).map(({ role }) => role))
  return [
    ...(roles.has('refusal')
      ? [
          {
            what: oneInTen('rows that refuse'),
            cost: `${again}; over-refusal may rise, so gate that too`,
          },
        ]
      : []),
    ...(roles.has('over-refusal')
      ? [
          {
            what: oneInTen('harmless look-alikes that are answered'),
            cost: `${again}; refusal may fall, so gate that too`,
          },
        ]
      : []),
    {
      what: 'Hold the weights closer to the base: a smaller --rank, half the --learning-rate, or more --weight-decay.',
      cost: `${again}; the task may be learned less well`,
    },
  ]
}

function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`
  const minutes = seconds / 60
  return minutes < 90 ? `${Math.round(minutes)} min` : `${(minutes / 60).toFixed(1)} h`
}
