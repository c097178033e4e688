/** @file Claims at a look: what a PASS takes there, what an interval covers, and when a state may stop. */
import { describe, expect, test } from 'vitest'
import type { StoppingRule } from '../../../../evals/contract/gate/stopping.ts'
import type { ComparedRun } from '../../../../evals/findings/gate/compared-run.ts'
import { decide } from '../../../../evals/findings/gate/decide.ts'
import { parseGate } from '../../../../evals/findings/gate/gate-file.ts'
import { mayStop } from '../../../../evals/findings/gate/looks/may-stop.ts'
import { stopsAt } from '../../../../evals/findings/on-the-way/stopping.ts'
import { confirmed, planted, plannedRun } from '../../../doubles/rows/compared-runs.ts'
import { changedRows } from '../../../doubles/runs/stored-change.ts'

const N = 200
const gate = parseGate('benchmarks: { refusals: { margin: 0.05, floor: false } }', 'gate.yaml')
const judges = new Map([['refusals', 'house']])
const RULE = { spending: 'obrien-fleming', looks: 4, seed: 0, futility: 0.05 } as const

/** After look `at` of four over 200 prompts that are in order; `lost` are the first of them. */
function stateAt(
  arm: string,
  lost: number,
  at: number | null,
  rule: StoppingRule = RULE,
): ComparedRun {
  const counts = planted(N, N, lost)
  const run = confirmed(plannedRun({ arm, rates: { refusals: { role: 'refusal', counts } } }))
  const order = counts.map((_, i) => `refusals-${i}`)
  const seen = [50, 100, 150, 200].map((prompts) => ({ prompts, units: prompts }))
  if (at === null) return run
  const asked = new Set(order.slice(0, seen[at]!.prompts))
  return {
    ...run,
    benchmarks: run.benchmarks.map((row) => ({
      ...row,
      ...{ replies: asked.size, stopped: { rule, order, seen, at } },
    })),
    judged: run.judged.filter(({ sampleId }) => asked.has(sampleId)),
  }
}

const claimAt = (lost: number, at: number | null, rule?: StoppingRule) => {
  const against = [{ before: stateAt('base', 0, null), after: stateAt('lora', lost, at, rule) }]
  return decide(gate, { against, steps: [], judges }).claims[0]!
}

describe('a claim at a look', () => {
  test('counts what looks may spend, and never passes where one look would not', () => {
    const [early, late, once] = [claimAt(0, 1), claimAt(0, 3), claimAt(0, null)]
    expect(early.look).toMatchObject({ look: 2, of: 4, prompts: 100, ofPrompts: 200 })
    expect(early.pBelow!).toBeGreaterThan(early.look!.pBelow!)
    expect(late.pBelow!).toBeGreaterThanOrEqual(once.pBelow!)
    expect(once.look).toBeUndefined()
    expect(early.upper! - early.lower!).toBeGreaterThan(1.2 * (late.upper! - late.lower!))
    expect(early.sentence).toMatch(/at look 2 of 4, after 100 of 200 prompts\.$/u)
  })

  test('compares the base as far as the fine-tune was asked, and misses nothing', () => {
    const { n, open } = claimAt(0, 1)
    expect(n).toBe(100)
    expect(open).toBeUndefined()
  })

  test('by curtailment passes at the last look alone', () => {
    const rule = { ...RULE, spending: 'curtailment' } as const
    expect(claimAt(0, 2, rule).outcome).toBe('INCONCLUSIVE')
    expect(claimAt(0, 3, rule).outcome).toBe('PASS')
    // 60 of 150 lost stay 10 points above the margin even with 50 more mended.
    expect(claimAt(100, 2, rule).outcome).toBe('FAIL')
  })
})

describe('a state', () => {
  const stops = (lost: number, at: number, rule?: StoppingRule) =>
    mayStop({
      gate,
      gated: { judges },
      before: stateAt('base', 0, at, rule),
      after: stateAt('lora', lost, at, rule),
      of: { benchmark: 'refusals' },
      family: (claims) => claims,
    })

  test('stops where every claim is shown, where one fails, and where neither can be shown any more', () => {
    expect(stops(0, 0)).toBe(false)
    expect(stops(0, 2)).toBe(true)
    expect(stops(40, 0)).toBe(true)
    // 12 of 150 are above the margin, and not shown to be.
    expect(stops(12, 2)).toBe(false)
    expect(stops(8, 2)).toBe(true)
  })

  test('takes a p-value that few clusters make large for no sign of harm', () => {
    const inClusters = (run: ComparedRun): ComparedRun => ({
      ...run,
      judged: run.judged.map((row) => ({
        ...row,
        cluster: `${Math.floor(Number(row.sampleId.split('-').at(-1)) / 5)}`,
      })),
    })
    // One of 50 prompts: less than half of the margin, in one of ten clusters.
    const [before, after] = [stateAt('base', 0, 0), stateAt('lora', 1, 0)].map(inClusters)
    const asked = { gate, gated: { judges }, before: before!, after: after! }
    const against = [{ before: before!, after: after! }]
    const { look } = decide(gate, { against, steps: [], judges }).claims[0]!
    expect(look!.pBelow).toBeGreaterThan(0.8)
    expect(mayStop({ ...asked, of: { benchmark: 'refusals' }, family: (n) => n })).toBe(false)
  })

  test('stops where half a margin and two margins are excluded, if that may cost power', () => {
    const wide = parseGate('benchmarks: { refusals: { margin: 0.2, floor: false } }', 'gate.yaml')
    const stopsAt = (lost: number, powerLoss?: number) => {
      const rule = { ...RULE, futility: 0, ...(powerLoss !== undefined && { powerLoss }) }
      return mayStop({
        gate: wide,
        gated: { judges },
        before: stateAt('base', 0, 1, rule),
        after: stateAt('lora', lost, 1, rule),
        of: { benchmark: 'refusals' },
        family: (claims) => claims,
      })
    }
    // 20 of 100 are the margin; half of it and twice it are far off, while the rest of the prompts could still show either side.
    expect(stopsAt(20)).toBe(false)
    expect(stopsAt(20, 0.02)).toBe(true)
    // Half a margin itself, and two, are not excluded.
    expect(stopsAt(11, 0.02)).toBe(stopsAt(11))
    expect(stopsAt(33, 0.02)).toBe(stopsAt(33))
    expect(stopsAt(14, 1e-9)).toBe(false)
  })

  test('by curtailment stops only where every further reply would leave the verdict', () => {
    const rule = { ...RULE, spending: 'curtailment' } as const
    expect(stops(0, 2, rule)).toBe(false)
    expect(stops(9, 2, rule)).toBe(false)
    expect(stops(100, 2, rule)).toBe(true)
  })
})

test('a step on the way is looked at as the last one is, though its training is not at its end yet', () => {
  const rows = changedRows({})
  const [row] = rows.benchmarks
  const order = rows.replies.filter(({ arm }) => arm === 'base').map(({ sampleId }) => sampleId)
  const seen = [24, 48, 72, 96].map((prompts) => ({ prompts, units: prompts }))
  const looks = { rule: RULE, order, seen }
  const key = { arm: 'lora', seed: 1, step: 40 }
  const at = { key, benchmark: row!.name, look: 0, margin: 0.05, planned: 1 }
  const stops = (end: number) =>
    stopsAt({ ...rows, benchmarks: [{ ...row!, looks }], planned: [{ ...key, step: end }] }, at)
  expect([stops(40), stops(80)]).toEqual([false, false])
})
