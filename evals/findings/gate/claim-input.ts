/** @file What a claim is about: a pair of states, a benchmark by a judge, and where asked for some categories or a context of it. */
import type { GateClaim } from '../../contract/gate.ts'
import type { ComparedField } from '../../contract/gate/rule.ts'
import { listed, stateInSentence } from '../../contract/words.ts'
import type { ComparedBenchmark, ComparedRun } from './compared-run.ts'
import type { UnderPlan } from './frozen/under-plan.ts'
import type { ClaimLook } from './looks/at-look.ts'
import type { Selection } from './selection.ts'

export interface ClaimInput extends Pick<Selection, 'categories' | 'context'> {
  readonly before: ComparedRun
  readonly after: ComparedRun
  readonly benchmark: Pick<
    ComparedBenchmark,
    'name' | 'title' | 'role' | 'chance' | 'sameAnswer' | 'gain'
  >
  readonly judge: string
  readonly margin: number
  readonly alpha: number
  readonly allow: readonly ComparedField[]
  /** Whether the gate takes the judge's word without anything that confirms it. */
  readonly isTrusted: boolean
  /** Where before is the pinned reference. */
  readonly against?: 'reference'
  /** Absent where every prompt is asked at once. */
  readonly look?: ClaimLook | undefined
}

/** Everything that one decision is about. */
export interface Gated {
  /** Each fine-tune at its last step, with the state it is compared with. */
  readonly against: readonly { readonly before: ComparedRun; readonly after: ComparedRun }[]
  /** Every evaluated step of trainings, for the last safe checkpoint; may be empty. */
  readonly steps: readonly ComparedRun[]
  /** Where `steps` are those that a search by bisection asked for: how many of each training it could have been. */
  readonly bisected?: number | undefined
  /** First judges of benchmarks, where the gate names none. */
  readonly judges: ReadonlyMap<string, string>
  /** Allowed differences beyond those of the gate itself. */
  readonly allow?: readonly ComparedField[]
  /** The pinned run of the gate's `reference`. */
  readonly reference?: ComparedRun | undefined
  /** Earlier runs that looked at the same fine-tunes by other prompts, other draws or other looks; none if absent. */
  readonly looked?: number | undefined
  /** The data of what was trained here, out of which the rows of a gain were held; absent where that is not known. */
  readonly trainedOn?: string | undefined
  /** The plan that the decision is held to. */
  readonly under?: UnderPlan | undefined
}

/** A claim before Holm, which says FAIL nowhere, and its sentence should Holm reject "the harm is at most the margin". */
export interface Draft {
  readonly claim: GateClaim
  readonly ifFailed: string
}

export const selectionOf = ({ benchmark, judge, categories, context }: ClaimInput): Selection => ({
  benchmark: benchmark.name,
  judge,
  ...(categories && { categories }),
  ...(context !== undefined && { context }),
})

/** The numbers of a claim of which nothing is known yet. */
const UNKNOWN = {
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

/** A claim of which nothing is known yet. */
export function blankClaim(asked: ClaimInput): Omit<GateClaim, 'outcome' | 'sentence'> {
  const { after, benchmark, judge, margin, alpha, categories, context, against } = asked
  const { arm, seed, step } = after
  return {
    ...UNKNOWN,
    differences: [],
    arm,
    seed,
    step,
    benchmark: benchmark.name,
    role: benchmark.role,
    judge,
    margin,
    alpha,
    ...(categories && { category: categories.join(', ') }),
    ...(context !== undefined && { context }),
    ...(against && { against }),
  }
}

export const nameOf = ({ after: { arm, seed } }: ClaimInput) => stateInSentence({ arm, seed })

/** "House rules kept, in keys and guests, under hotel, since out/first". */
export function placeOf({ benchmark, categories, context, against, before }: ClaimInput): string {
  return [
    benchmark.title,
    ...(categories ? [`in ${listed(categories)}`] : []),
    ...(context === undefined ? [] : [`under ${context}`]),
    ...(against ? [`since ${stateInSentence(before)} of ${before.origin}`] : []),
  ].join(', ')
}
