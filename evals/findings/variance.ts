/** @file Where a rate's variance comes from: seed × prompt, and decoding samples where each prompt was answered more than once. */
import type { VarianceSplit } from '../contract/results.ts'
import { keyOf } from '../contract/keys.ts'
import { varianceComponents } from '../statistics/variance-components.ts'
import { scoresByPrompt, type Judged } from './judged.ts'

/** For arms with at least two seeds; `states` are last steps by first judges. */
export function varianceSplits(states: readonly Judged[]): VarianceSplit[] {
  const groups = Map.groupBy(states, ({ subject, benchmark }) => keyOf(subject.arm, benchmark.name))
  return [...groups.values()].flatMap((seeds) => splitOf(seeds) ?? [])
}

function splitOf(states: readonly Judged[]): VarianceSplit | undefined {
  const { subject, benchmark, judge } = states[0]!
  const scores = states.map(({ replies }) => scoresByPrompt(benchmark.role, replies.values()))
  const prompts = new Set(scores.flatMap((each) => [...each.keys()]))
  const samples = Math.max(
    0,
    ...scores.flatMap((each) => [...each.values()].map((row) => row.length)),
  )
  // The estimator needs a complete table: equally many decided replies to each prompt in each training.
  const whole = [...prompts].filter((id) =>
    scores.every((each) => each.get(id)?.length === samples),
  )
  const found = varianceComponents(scores.map((each) => whole.map((id) => each.get(id)!)))
  if (!found) return undefined
  return {
    arm: subject.arm,
    benchmark: benchmark.name,
    judge,
    seeds: states.map((state) => state.subject.seed),
    prompts: whole.length,
    droppedPrompts: prompts.size - whole.length,
    samples,
    ...found,
  }
}
