/** @file Multiple tests: changes by category, and Holm's correction over benchmarks and over categories. */
import type { CategoryChange, Comparison } from '../contract/results.ts'
import { keyOf, stateKey } from '../contract/keys.ts'
import { holmAdjusted } from '../statistics/paired/holm.ts'
import { compare } from './paired.ts'
import { judgedKey, type Judged } from './judged.ts'

/** One family of tests: last steps by first judges, over all arms, seeds and benchmarks. */
export function withHolm(
  comparisons: readonly Omit<Comparison, 'holmP'>[],
  family: readonly Judged[],
): Comparison[] {
  const key = (row: ReturnType<typeof judgedKey>) => keyOf(stateKey(row), row.benchmark, row.judge)
  const names = new Set(family.map((state) => key(judgedKey(state))))
  const tested = comparisons.filter((row) => names.has(key(row)))
  const adjusted = holmAdjusted(tested.map(({ pValue }) => pValue))
  const holmP = new Map(tested.map((row, i) => [row, adjusted[i]!]))
  return comparisons.map((row) => ({ ...row, holmP: holmP.get(row) ?? null }))
}

/** Another family of tests: every category of these states. */
export function categoryChanges(pairs: readonly (readonly [Judged, Judged])[]): CategoryChange[] {
  const changes = pairs.flatMap(([base, state]) => {
    const categories = new Set([...state.replies.values()].map(({ reply }) => reply.category))
    return [...categories].map((category) => {
      const { b, c, n, difference, lower, upper, pValue } = compare(
        only(base, category),
        only(state, category),
      )
      return { ...judgedKey(state), category, b, c, n, difference, lower, upper, pValue }
    })
  })
  const adjusted = holmAdjusted(changes.map(({ pValue }) => pValue))
  return changes.map((change, i) => ({ ...change, holmP: adjusted[i]! }))
}

const only = (state: Judged, category: string): Judged => ({
  ...state,
  replies: new Map([...state.replies].filter(([, { reply }]) => reply.category === category)),
})
