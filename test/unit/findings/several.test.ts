/** @file Holm over benchmarks and over categories, variance between seeds, mean scores: against planted rows. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { buildResults } from '../../../evals/findings/results.ts'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { holmAdjusted } from '../../../evals/statistics/paired/holm.ts'
import { mcNemarExact } from '../../../evals/statistics/paired/paired.ts'
import { varianceComponents } from '../../../evals/statistics/variance-components.ts'
import { plannedAudit, plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'

const results = buildResults(plannedAudit())

describe('Holm', () => {
  test('over last steps by first judges is one family: six trainings on three benchmarks', () => {
    const family = results.comparisons.filter(({ holmP }) => holmP !== null)
    expect(family).toHaveLength(18)
    for (const { step, judge } of family) expect([step, judge]).toEqual([40, 'house'])
    const adjusted = holmAdjusted(family.map(({ pValue }) => pValue))
    expect(family.map(({ holmP }) => holmP)).toEqual(adjusted)
    expect(results.comparisons.length).toBeGreaterThan(18)
  })

  test('over categories is another, and the categories of a state add up to its change', () => {
    const { categoryChanges, comparisons } = results
    expect(categoryChanges).toHaveLength(18 * 3)
    const p = categoryChanges.map(({ b, c }) => mcNemarExact(b, c))
    expect(categoryChanges.map(({ pValue }) => pValue)).toEqual(p)
    expect(categoryChanges.map(({ holmP }) => holmP)).toEqual(holmAdjusted(p))
    const whole = comparisons.find(
      ({ arm, seed, holmP, benchmark }) =>
        arm === 'lora' && seed === 2 && holmP !== null && benchmark === REFUSAL.name,
    )!
    const parts = categoryChanges.filter(
      ({ arm, seed, benchmark }) => arm === 'lora' && seed === 2 && benchmark === REFUSAL.name,
    )
    for (const count of ['b', 'c', 'n'] as const) {
      expect(parts.reduce((sum, part) => sum + part[count], 0)).toBe(whole[count])
    }
  })
})

/** Two seeds, of which the second loses the first `lost` of ten prompts, each asked `samples` times. */
function twoSeeds(lost: number, samples = 1, undecided = 0): AuditRows {
  const arm = (seed: number) => ({
    arm: 'lora',
    seed,
    steps: {
      40: {
        [REFUSAL.name]: { lost: seed === 1 ? 0 : lost, gained: 0, undecided: seed * undecided },
      },
    },
  })
  const rows = plannedRows({
    benchmarks: [{ ...REFUSAL, n: 10, base: 8 }],
    arms: [arm(1), arm(2)],
  })
  const repeat = <R>(list: readonly R[]) =>
    list.flatMap((row) => Array.from({ length: samples }, (_, epoch) => ({ ...row, epoch })))
  return { ...rows, replies: repeat(rows.replies), verdicts: repeat(rows.verdicts) }
}

const scoresOf = (lost: number, samples: number) =>
  [0, lost].map((gone) =>
    Array.from({ length: 10 }, (_, i) =>
      Array.from({ length: samples }, () => Number(i < 8 && i >= gone)),
    ),
  )

describe('variance', () => {
  test.each([
    [3, 1],
    [3, 4],
  ])('of two seeds, %d prompts lost in one, %d replies each', (lost, samples) => {
    const [split, ...others] = buildResults(twoSeeds(lost, samples)).variance
    expect(others).toEqual([])
    expect(split).toEqual({
      arm: 'lora',
      benchmark: REFUSAL.name,
      judge: 'house',
      seeds: [1, 2],
      prompts: 10,
      droppedPrompts: 0,
      samples,
      ...varianceComponents(scoresOf(lost, samples)),
    })
    expect(split!.sample).toBe(samples === 1 ? null : 0)
  })

  test('leaves out prompts that were not decided everywhere, and says how many', () => {
    const [split] = buildResults(twoSeeds(2, 1, 1)).variance
    expect(split).toMatchObject({ prompts: 8, droppedPrompts: 2 })
  })

  test('is not given for one seed', () => {
    const rows = plannedRows({
      benchmarks: [REFUSAL],
      arms: [{ arm: 'lora', seed: 1, steps: { 40: { [REFUSAL.name]: { lost: 1, gained: 0 } } } }],
    })
    expect(buildResults(rows).variance).toEqual([])
  })
})

describe('mean scores', () => {
  const plain = twoSeeds(3)
  /** The base leans by 1 to 10 nats, seed 1 by half a nat less, seed 2 not at all. */
  const LEANS = { 0: 0, 1: -0.5, 2: -5.5 } as Readonly<Record<number, number>>
  const verdicts = plain.verdicts.map((row) => {
    const index = Number(row.sampleId.slice(1))
    return { ...row, judge: 'refusal-logprob', score: index + 1 + LEANS[row.seed]! }
  })
  const { scores } = buildResults({
    ...plain,
    benchmarks: plain.benchmarks.map((row) => ({ ...row, judges: ['house', 'refusal-logprob'] })),
    verdicts: [...plain.verdicts, ...verdicts],
  })

  test('are of judges that give scores, with a band, at every state', () => {
    expect(scores.map(({ arm, seed, judge, n, mean }) => [arm, seed, judge, n, mean])).toEqual([
      ['base', 0, 'refusal-logprob', 10, 5.5],
      ['lora', 1, 'refusal-logprob', 10, 5],
      ['lora', 2, 'refusal-logprob', 10, 0],
    ])
    for (const { mean, lower, upper } of scores) {
      expect(lower!).toBeLessThan(mean)
      expect(upper!).toBeGreaterThan(mean)
    }
  })

  test('are held against the base prompt by prompt', () => {
    // Every prompt moved alike, so the paired change has no width though the scores have.
    expect(scores.map(({ change }) => change)).toEqual([
      null,
      { n: 10, mean: -0.5, lower: -0.5, upper: -0.5 },
      { n: 10, mean: -5.5, lower: -5.5, upper: -5.5 },
    ])
  })
})

describe('what is said of small numbers', () => {
  const limitsOf = (n: number, lost: number) =>
    buildResults(
      plannedRows({
        benchmarks: [{ ...REFUSAL, n, base: n / 2 }],
        arms: [{ arm: 'lora', seed: 1, steps: { 40: { [REFUSAL.name]: { lost, gained: 0 } } } }],
      }),
    ).limits.join('\n')

  test.each([
    [96, 5, false],
    [96, 4, true],
    [8, 3, true],
  ])('of %d prompts %d changed: fewer than five changed or on a side is %s', (n, lost, isSaid) => {
    expect(limitsOf(n, lost).includes('Fewer than 5 prompts changed')).toBe(isSaid)
  })

  test('fewer pairs than Newcombe’s method needs to be within a point are named', () => {
    expect(limitsOf(48, 8)).toContain('fewer than 50 pairs')
    expect(limitsOf(48, 8)).toContain('House refusal (48)')
    expect(limitsOf(50, 8)).not.toContain('pairs Newcombe')
    const path = new URL('../../golden/fixtures/coverage.json', import.meta.url)
    const { coverage } = JSON.parse(readFileSync(path, 'utf8')) as {
      coverage: { method: string; n: number; grid: string; mean: number }[]
    }
    // Rates near 0 and 1, where np is small, are another warning's.
    const usual = coverage.filter(
      ({ method, grid }) => method === 'newcombe' && !grid.includes('0.02'),
    )
    expect(usual.length).toBeGreaterThan(2)
    for (const { n, mean } of usual) expect(mean <= 0.96).toBe(n >= 50)
  })
})
