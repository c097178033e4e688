/** @file What many claims rest on is one clause, and not one for each of them. */
import { expect, test } from 'vitest'
import type { Assumption } from '../../../../evals/contract/gate.ts'
import { type GateClaim } from '../../../../evals/contract/gate.ts'
import { GateRule } from '../../../../evals/contract/gate/rule.ts'
import { assumptionsOf } from '../../../../evals/findings/gate/assumptions.ts'
import { buildResults } from '../../../../evals/findings/results.ts'
import { plannedAudit } from '../../../doubles/rows/audit-rows.ts'

const [claim] = buildResults(plannedAudit()).gate!.claims
const units = (how: string) => ({ name: 'units' as const, state: 'checked' as const, how })

/** A claim that rests on clusters; without a correlation nothing varies in it. */
const clustered = (clusters: number, icc: number | null): GateClaim => ({
  ...claim!,
  clusters: { clusters, worth: clusters, icc, designEffect: icc && 1 + icc, isProposed: false },
  assumptions: [units(`${clusters} of its own`)],
})
const alone: GateClaim = {
  ...claim!,
  assumptions: [units('each prompt is a cluster of its own')],
}
const unitsOf = (claims: readonly GateClaim[]): Assumption =>
  assumptionsOf(GateRule.parse({ margin: 0.05 }), { against: [] } as never, claims).find(
    ({ name }) => name === 'units',
  )!

test('clusters of many claims are told by their range, and how far prompts in them are alike', () => {
  const many = [clustered(48, 0.25), clustered(12, -0.5), clustered(30, null), alone]
  const { state, how } = unitsOf(many)
  expect(state).toBe('checked')
  expect(how).toBe(
    '3 claims rest on 12 to 48 clusters each, independent of one another (ICC −0.50 to 0.25, design effect 0.50 to 1.25; nothing varies in 1, where prompts of a cluster are taken as all alike); in the others each prompt is a cluster of its own',
  )
  expect(unitsOf([...many, ...many, ...many]).how.length).toBeLessThan(how.length + 5)
})

test('one claim says it in its own words', () => {
  expect(unitsOf([clustered(48, 0.25)]).how).toBe('48 of its own')
})

test('where one takes for granted what the others check, all of it is taken for granted', () => {
  const open = {
    ...claim!,
    assumptions: [{ ...units('no clusters are named'), state: 'assumed' as const }],
  }
  expect(unitsOf([clustered(48, 0.25), clustered(12, 0.1), open])).toMatchObject({
    state: 'assumed',
    how: 'no clusters are named',
  })
})

test('a gain rests on rows that were held out, which is checked of what was trained here on data that is known', () => {
  const gain: GateClaim = { ...claim!, gain: 0.1 }
  const decoding = { maxNewTokens: 8, temperature: 0 }
  const benchmark = { name: gain.benchmark, title: 'Own rows', decoding }
  const heldOut = (step: number, trainedOn?: string, claims: GateClaim[] = [gain]) => {
    const state = { arm: 'lora', step, benchmarks: [benchmark], judged: [] }
    const gated = { against: [{ before: state, after: state }], trainedOn } as never
    return assumptionsOf(GateRule.parse({ margin: 0.05 }), gated, claims).find(
      ({ name }) => name === 'held-out',
    )
  }
  expect(heldOut(40, 'rows.jsonl')).toMatchObject({ state: 'checked' })
  expect(heldOut(0, 'rows.jsonl')).toMatchObject({
    state: 'assumed',
    how: 'what lora was trained on is not known here: whether rows of Own rows are among it was not checked',
  })
  expect(heldOut(40)).toMatchObject({ state: 'assumed' })
  expect(heldOut(0, undefined, [claim!])).toBeUndefined()
})
