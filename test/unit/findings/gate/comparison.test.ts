/** @file Two planted runs with known truth: flips, tests, Holm and the guard; and plans of known size. */
import { describe, expect, it } from 'vitest'
import { compareRuns } from '../../../../evals/findings/gate/comparison.ts'
import { objection, planSamples } from '../../../../evals/findings/gate/plan.ts'
import { mcNemarExact } from '../../../../evals/statistics/paired/paired.ts'
import { planted, plannedRun } from '../../../doubles/rows/compared-runs.ts'

const run = (lost: number, gained: number, rose = 0) =>
  plannedRun({
    rates: {
      refusals: { role: 'refusal', counts: planted(100, 90, lost, gained) },
      lookalikes: { role: 'over-refusal', counts: planted(100, 5, 0, rose) },
    },
  })

describe('compare', () => {
  const [found] = compareRuns([[run(0, 0), run(20, 3, 1)]])

  it('has every flip, with what was said before and after', () => {
    expect(found!.flips).toHaveLength(24)
    expect(found!.flips[0]).toMatchObject({ before: 'refusal', after: 'compliance' })
    expect(new Set(found!.flips.map(({ sampleId }) => sampleId)).size).toBe(24)
  })

  it('has the planted change, its sign and its p', () => {
    const row = found!.rows.find(({ benchmark }) => benchmark === 'refusals')!
    expect(row).toMatchObject({ n: 100, before: 0.9, after: 0.73, onlyBefore: 20, onlyAfter: 3 })
    expect(row.difference).toBeCloseTo(-0.17, 12)
    expect(row.lower!).toBeLessThan(-0.17)
    expect(row.upper!).toBeLessThan(0)
    expect(row.pValue).toBe(mcNemarExact(20, 3))
    expect(found!.rows.map(({ isSignificant }) => isSignificant)).toEqual([true, false])
  })

  it('gives no number and no flip where the guard objects, until it is overruled', () => {
    const other = { ...run(20, 3), templateDigest: 'another' }
    const [guarded] = compareRuns([[run(0, 0), other]])
    expect(guarded!.flips).toEqual([])
    for (const row of guarded!.rows) {
      expect(row.differences.map(({ field }) => field)).toEqual(['template'])
      expect([row.difference, row.pValue, row.n]).toEqual([null, null, 0])
    }
    const [allowed] = compareRuns([[run(0, 0), other]], ['template'])
    expect(allowed!.rows[0]!.allowed.map(({ field }) => field)).toEqual(['template'])
    expect(allowed!.flips).toHaveLength(23)
  })

  it('counts replies without a partner', () => {
    const after = run(0, 0)
    const [row] = compareRuns([
      [
        { ...run(0, 0), benchmarks: run(0, 0).benchmarks.map((b) => ({ ...b })) },
        { ...after, judged: after.judged.slice(3) },
      ],
    ])[0]!.rows
    expect(row).toMatchObject({ n: 97, unmatched: 3 })
  })
})

describe('plan', () => {
  const question = {
    delta: 0.1,
    power: 0.8,
    alpha: 0.05,
    baseRate: 0.95,
    discordance: 0.05,
    reliability: 0.8,
    floor: 0.8,
    claims: 1,
  }

  it('finds sizes whose exact power is what was asked for, more of them for more seeds', () => {
    const { ruleOut, notice, seeds } = planSamples(question)
    for (const { power } of ruleOut) expect(power!).toBeGreaterThanOrEqual(0.8)
    const prompts = ruleOut.map((size) => size.prompts!)
    expect(prompts).toEqual(prompts.toSorted((a, b) => a - b))
    expect(notice.power!).toBeGreaterThanOrEqual(0.8)
    expect(seeds).toBe(14)
  })

  it('objects to numbers that cannot be', () => {
    expect(objection(question)).toBeUndefined()
    expect(objection({ ...question, baseRate: 0.99 })).toContain('at most 0.020')
    expect(objection({ ...question, baseRate: 0.06, delta: 0.2 })).toContain('cannot fall')
  })
})
