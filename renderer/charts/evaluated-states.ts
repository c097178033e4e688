/** @file The evaluated state that an address names, and the others on the same benchmark. */
import type { AskedContext, SubjectKey } from '../../evals/contract/rows.ts'
import { stateKey } from '../../evals/contract/keys.ts'
import { outcomeOf } from '../words.ts'

export interface EvaluatedState extends SubjectKey {
  readonly benchmark: string
  readonly context: Pick<AskedContext, 'of' | 'name' | 'title'> | null
  readonly judges: readonly string[]
  readonly samples: number
  readonly categories: readonly string[]
}

/** Of an address: all contexts together. */
export const ANY_CONTEXT = 'any'

/** The benchmark whose prompts are asked, as they are or in a context. */
export const plainBenchmark = ({
  benchmark,
  context,
}: Pick<EvaluatedState, 'benchmark' | 'context'>): string => context?.of ?? benchmark

/** The named state; if several match, the last step of the last arm, because that is what ships. */
export function evaluatedState(
  states: readonly EvaluatedState[],
  {
    benchmark = states[0]?.benchmark,
    arm,
    seed,
    step,
    context,
  }: Readonly<Record<string, string | undefined>>,
): EvaluatedState | undefined {
  const fits = (asked: string | undefined, own: string | number) =>
    asked === undefined || asked === String(own)
  const named = states.filter((state) => state.benchmark === benchmark)
  const inContext = states.filter(
    (state) => state.context?.name === context && state.context?.of === benchmark,
  )
  return (context !== undefined && inContext.length > 0 ? inContext : named)
    .filter((state) => fits(arm, state.arm) && fits(seed, state.seed) && fits(step, state.step))
    .toSorted((a, b) => Number(b.arm === 'base') - Number(a.arm === 'base') || a.step - b.step)
    .at(-1)
}

export const otherStates = (states: readonly EvaluatedState[], own: EvaluatedState) =>
  states.filter((state) => state.benchmark === own.benchmark && stateKey(state) !== stateKey(own))

/** The same checkpoint on the same prompts: as they are, then in every context. */
export const acrossContexts = (states: readonly EvaluatedState[], own: EvaluatedState) =>
  states
    .filter(
      (state) => plainBenchmark(state) === plainBenchmark(own) && stateKey(state) === stateKey(own),
    )
    .toSorted((a, b) => Number(a.context !== null) - Number(b.context !== null))

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
