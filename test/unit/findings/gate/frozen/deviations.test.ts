/** @file A run under a plan: kept, it says so; each thing that is not as planned is named, and it does not PASS. */
import { describe, expect, test } from 'vitest'
import type { Looks } from '../../../../../evals/contract/gate/stopping.ts'
import type { PlanParts } from '../../../../../evals/contract/signed/plan.ts'
import type { ComparedRun } from '../../../../../evals/findings/gate/compared-run.ts'
import { decide } from '../../../../../evals/findings/gate/decide.ts'
import type { UnderPlan } from '../../../../../evals/findings/gate/frozen/under-plan.ts'
import { heldTo } from '../../../../../evals/findings/held-plan.ts'
import { parseGate } from '../../../../../evals/findings/gate/gate-file.ts'
import { confirmed, planted, plannedRun } from '../../../../doubles/rows/compared-runs.ts'
import { changedRows } from '../../../../doubles/runs/stored-change.ts'
import { FROZEN, keeping, partsOf } from '../../../../doubles/rows/plans.ts'

const N = 80
const LATER = '2026-12-02T08:00:00.000Z'
const gate = parseGate('margin: 0.05', 'gate.yaml')
const state = (arm: string, lost = 0): ComparedRun =>
  confirmed(
    plannedRun({
      ...{ arm, step: arm === 'base' ? 0 : 40 },
      rates: {
        refusals: { role: 'refusal', counts: planted(N, N, lost) },
        sums: { role: 'capability', counts: planted(N, 76) },
      },
    }),
  )
const [before, after] = [state('base'), state('lora')]
const parts = partsOf(gate, before)

const decided = (
  under: UnderPlan,
  states: readonly [ComparedRun, ComparedRun] = [before, after],
  rule = gate,
) => {
  const judges = new Map(['refusals', 'sums'].map((name) => [name, 'house']))
  const against = [{ before: states[0], after: states[1] }]
  const { plan, ...decision } = decide(rule, { against, steps: [], judges, under })
  return { ...decision, plan: plan! }
}

/** The plan with another value of a part. */
const planned = (change: (copy: PlanParts) => void): UnderPlan => {
  const copy = structuredClone(parts)
  change(copy)
  return keeping(copy)
}

test('a time stamp counts from the moment at which the run began', () => {
  const { held } = keeping(parts)
  const rows = changedRows({ lost: 0 })
  const lateAt = (stamped: string | null, startedAt: number) =>
    heldTo({ ...held, stamped }, { ...rows, run: { ...rows.run, startedAt } }).stampedLate
  expect(lateAt(LATER, Date.parse(LATER) - 1)).toBe(LATER)
  expect(lateAt(LATER, Date.parse(LATER))).toBeUndefined()
  expect(lateAt(null, 0)).toBeUndefined()
})

test('kept, it passes and says so', () => {
  const decision = decided(keeping(parts))
  expect(decision).toMatchObject({
    outcome: 'PASS',
    plan: { frozen: FROZEN, stopping: null, deviations: [] },
  })
  const looks = decision.assumptions!.find(({ name }) => name === 'looks')
  expect(looks).toMatchObject({ state: 'checked' })
  expect(decision.headline).toMatch(/kept to the plan that was frozen on 2026-11-30\.$/)
})

const without = (run: ComparedRun, keep: (row: ComparedRun['judged'][number]) => boolean) => ({
  ...run,
  judged: run.judged.filter(keep),
})

const RULE = { spending: 'pocock', looks: 3, seed: 0, futility: 0.05 } as const
const looksAt = (...prompts: number[]): Looks => ({
  rule: RULE,
  order: [],
  seen: prompts.map((n) => ({ prompts: n, units: n })),
})
const looking = (...prompts: number[]): UnderPlan => ({
  ...planned((copy) => void (copy.stopping = RULE)),
  looks: new Map([
    ['refusals', looksAt(...prompts)],
    ['sums', looksAt(...prompts)],
  ]),
})
const short = (run: ComparedRun, n: number) =>
  without(run, ({ sampleId }) => Number(sampleId.split('-')[1]) < n)

describe('not as planned', () => {
  const fewer = (run: ComparedRun) => without(run, ({ sampleId }) => sampleId !== 'refusals-7')
  const CASES: [string, Parameters<typeof decided>, object][] = [
    [
      'fewer prompts',
      [keeping(parts), [fewer(before), fewer(after)]],
      { kind: 'fewer-prompts', at: 'refusals', planned: '80', found: '79' },
    ],
    [
      'other prompts',
      [planned(({ suite }) => void (suite[0] = { ...suite[0]!, digest: 'another' }))],
      { kind: 'prompts', at: 'refusals', planned: 'another', found: 'digest of refusals' },
    ],
    [
      'a benchmark too few',
      [planned(({ suite }) => void suite.push({ ...suite[0]!, name: 'more' }))],
      { kind: 'benchmark', at: 'more', planned: '80', found: null },
    ],
    [
      'a benchmark too many',
      [planned(({ suite }) => void suite.pop())],
      { kind: 'benchmark', at: 'sums', planned: null, found: 'sums' },
    ],
    [
      'another judge',
      [planned(({ suite }) => void suite[0]!.judges.splice(0, 2, 'house', 'third'))],
      { kind: 'judge', at: 'third on refusals', planned: 'third', found: null },
    ],
    [
      'a judge too many',
      [planned(({ suite }) => void suite[0]!.judges.pop())],
      { kind: 'judge', at: 'other on refusals', planned: null, found: 'other' },
    ],
    [
      'another version of a judge',
      [planned(({ judges }) => void (judges[0]!.version = 'house-0'))],
      { kind: 'judge-version', at: 'house', planned: 'house-0', found: 'house-1' },
    ],
    [
      'a context left out',
      [
        planned(({ suite }) => {
          suite.push({
            ...suite[0]!,
            digest: null,
            context: { name: 'long', title: 'Long', digest: 'c1' },
          })
        }),
      ],
      { kind: 'context', at: 'refusals@long', planned: '80', found: null },
    ],
    [
      'another decoding',
      [planned(({ suite }) => void (suite[0]!.maxNewTokens = 32))],
      { kind: 'decoding', at: 'refusals: reply tokens', planned: '32', found: '24' },
    ],
    [
      'another margin',
      [keeping(parts), [before, after], parseGate('margin: 0.1', 'gate.yaml')],
      { kind: 'gate', at: 'margin', planned: '0.05', found: '0.1' },
    ],
    [
      'a floor taken out',
      [planned((copy) => void (copy.gate.benchmarks['refusals'] = { margin: 0.05, floor: 0.9 }))],
      { kind: 'gate', at: 'benchmarks.refusals.floor', planned: '0.9', found: null },
    ],
    [
      'fewer seeds',
      [planned((copy) => void (copy.seeds = [0, 1, 2]))],
      { kind: 'seeds', at: 'lora', planned: '0, 1, 2', found: '0' },
    ],
    [
      'another stopping rule',
      [planned((copy) => void (copy.stopping = RULE))],
      { kind: 'stopping', at: 'spending', planned: 'pocock', found: 'none' },
    ],
    [
      'more looks',
      [looking(20, 40, 60, N)],
      { kind: 'looks', at: 'refusals', planned: '3', found: '4' },
    ],
    [
      'an earlier run under the same plan',
      [{ ...keeping(parts), earlier: 2 }],
      { kind: 'looks', at: 'runs', planned: '1', found: '3' },
    ],
    [
      'a plan that came after the run',
      [{ ...keeping(parts), isBegun: false }],
      { kind: 'begun', at: null, planned: FROZEN, found: null },
    ],
    [
      'a time stamp that is later than the run’s beginning',
      [{ ...keeping(parts), stampedLate: LATER }],
      { kind: 'stamped', at: null, planned: null, found: LATER },
    ],
  ]

  test.each(CASES)('%s is named, and does not pass', (_, args, expected) => {
    const decision = decided(...args)
    expect(decision.plan.deviations).toContainEqual(expected)
    expect(decision.outcome).not.toBe('PASS')
    expect(decision.headline).toContain('deviates from the plan')
  })

  test('one thing alone is named alone, and FAIL stays FAIL', () => {
    expect(decided(...CASES[0]![1]).plan.deviations).toHaveLength(1)
    const bad = state('lora', 60)
    const decision = decided({ ...keeping(parts), earlier: 1 }, [before, bad])
    expect(decision.outcome).toBe('FAIL')
    expect(decision.headline).toContain('deviates from the plan')
  })

  test('what a log does not say is not as planned', () => {
    const silent = (run: ComparedRun): ComparedRun => ({
      ...run,
      benchmarks: run.benchmarks.map((row) => ({ ...row, promptSetDigest: null })),
    })
    expect(decided(keeping(parts), [silent(before), silent(after)]).plan.deviations).toContainEqual(
      {
        ...{ kind: 'prompts', at: 'refusals', planned: 'digest of refusals', found: null },
      },
    )
  })
})

test('stopped at a planned look it kept to the plan, and between two looks it did not', () => {
  const stopped = (n: number) =>
    decided(looking(20, 40, N), [short(before, n), short(after, n)]).plan.deviations
  expect(stopped(40)).toEqual([])
  // Its last look is before the last of the planned prompts.
  expect(
    decided(looking(20, 40), [short(before, 20), short(after, 20)]).plan.deviations,
  ).toContainEqual({ kind: 'fewer-prompts', at: 'sums', planned: '80', found: '40' })
  expect(stopped(39)).toContainEqual({
    ...{ kind: 'fewer-prompts', at: 'sums', planned: '80', found: '39' },
  })
})
