/** @file Plans that made-up model states keep to. */
import { nameIn } from '../../../evals/contract/keys.ts'
import type { HeldPlan, PlanParts } from '../../../evals/contract/signed/plan.ts'
import type { ComparedRun } from '../../../evals/findings/gate/compared-run.ts'
import type { GateRule } from '../../../evals/contract/gate/rule.ts'
import type { UnderPlan } from '../../../evals/findings/gate/frozen/under-plan.ts'
import { readPlan, signPlan } from '../../../evals/interchange/statements/plan-file.ts'
import { newKeyPair } from '../../../evals/interchange/signing.ts'

export const FROZEN = '2026-11-30T12:00:00.000Z'

/** What the state was asked, by whom it was judged. */
export function partsOf(gate: GateRule, { benchmarks, judged }: ComparedRun): PlanParts {
  const suite = benchmarks.map((asked) => {
    const { name, title, role, promptSetDigest, decoding, context } = asked
    const rows = judged.filter((row) => row.benchmark === name && row.context === context?.name)
    return {
      ...{ name, title, role },
      prompts: new Set(rows.map(({ sampleId }) => sampleId)).size,
      digest: context ? null : promptSetDigest,
      maxNewTokens: decoding.maxNewTokens!,
      decoding: { samples: 1, temperature: decoding.temperature!, seed: decoding.seed! },
      context: context
        ? { name: context.name, title: context.title, digest: context.digest }
        : null,
      gain: null,
      judges: [...new Set(rows.map(({ judge }) => judge))],
    }
  })
  const versions = new Map(judged.map(({ judge, judgeVersion }) => [judge, judgeVersion]))
  return {
    gate,
    suite,
    judges: [...versions].map(([name, version]) => ({ name, version })),
    contexts: suite.flatMap(({ context }) =>
      context ? { name: context.name, digest: context.digest } : [],
    ),
    seeds: [0],
    stopping: null,
    settings: { suite: suite.map(({ name, context }) => nameIn(name, context?.name)) },
  }
}

const keys = newKeyPair()

/** Signed with a key of this process. */
export const planText = (parts: PlanParts): string =>
  signPlan(parts, { touchstone: '0.1.0', frozen: FROZEN }, { keys, isOwn: true })

export const heldOf = (parts: PlanParts): HeldPlan => readPlan(planText(parts), 'plan.signed')

/** A run that began under the plan, with one seed, and was looked at once. */
export const keeping = (parts: PlanParts): UnderPlan => ({
  held: heldOf(parts),
  isBegun: true,
  earlier: 0,
  seeds: new Map([['lora', [0]]]),
  looks: new Map(),
})
