/** @file The evaluated state that an address names, and the others on the same benchmark. */
import type { SubjectKey } from '../../evals/contract/rows.ts'
import { outcomeOf } from '../words.ts'

export interface EvaluatedState extends SubjectKey {
  readonly benchmark: string
  readonly judges: readonly string[]
  readonly samples: number
  readonly categories: readonly string[]
}

/** The named state; if several match, the last step of the last arm, because that is what ships. */
export function evaluatedState(
  states: readonly EvaluatedState[],
  { benchmark, arm, seed, step }: Readonly<Record<string, string | undefined>>,
): EvaluatedState | undefined {
  const name = benchmark ?? states[0]?.benchmark
  const fits = (asked: string | undefined, own: string | number) =>
    asked === undefined || asked === String(own)
  return states
    .filter(
      (state) =>
        state.benchmark === name &&
        fits(arm, state.arm) &&
        fits(seed, state.seed) &&
        fits(step, state.step),
    )
    .toSorted((a, b) => Number(b.arm === 'base') - Number(a.arm === 'base') || a.step - b.step)
    .at(-1)
}

export const otherStates = (states: readonly EvaluatedState[], own: EvaluatedState) =>
  states.filter(
    ({ benchmark, arm, seed, step }) =>
      benchmark === own.benchmark && !(arm === own.arm && seed === own.seed && step === own.step),
  )

/** What is asked for a page of a state's replies, by the filters of the address. */
export function sampleQuery(
  { runId, state }: { readonly runId: string; readonly state: EvaluatedState },
  filters: Readonly<Record<string, string | undefined>>,
  page: { readonly offset: number; readonly limit: number },
) {
  const { arm, seed, step, benchmark, judges } = state
  const outcome = outcomeOf(filters['outcome'])
  const { category, find } = filters
  return {
    ...{ runId, arm, seed, step, benchmark },
    ...{ outcome, judge: outcome === null ? null : (judges[0] ?? null) },
    ...{ category: category || null, search: find ?? '' },
    ...page,
  }
}
