/** @file Results against planted truth: what was put into the rows comes out, and nothing else. */
import { describe, expect, test } from 'vitest'
import { buildResults, spectrumTotals } from '../../../evals/findings/results.ts'
import { Results, type Comparison } from '../../../evals/contract/results.ts'
import { tangoInterval } from '../../../evals/statistics/paired/non-inferiority.ts'
import { mcNemarExact, newcombePaired } from '../../../evals/statistics/paired/paired.ts'
import {
  CAPABILITY,
  LOOKALIKES,
  plannedAudit,
  plannedRows,
  REFUSAL,
  type Change,
  type PlannedBenchmark,
} from '../../doubles/rows/audit-rows.ts'
import { fc } from '../../doubles/properties.ts'

/** One arm, one seed, one step, one benchmark. */
const single = (benchmark: PlannedBenchmark, change: Change, config?: unknown) =>
  buildResults(
    plannedRows({
      benchmarks: [benchmark],
      arms: [{ arm: 'lora', seed: 1, steps: { 40: { [benchmark.name]: change } } }],
      config,
    }),
  )

const audit = plannedAudit()
const results = buildResults(audit)
const find = (arm: string, seed: number, step: number, benchmark: string) =>
  results.comparisons.find(
    (row) =>
      row.arm === arm &&
      row.seed === seed &&
      row.step === step &&
      row.benchmark === benchmark &&
      row.judge === 'house',
  )!

test('the paired counts are the planted ones, for every benchmark and any change', () => {
  const planned = fc.constantFrom(REFUSAL, LOOKALIKES, CAPABILITY).chain((benchmark) =>
    fc.record({
      benchmark: fc.constant(benchmark),
      lost: fc.nat({ max: benchmark.base }),
      gained: fc.nat({ max: benchmark.n - benchmark.base }),
    }),
  )
  fc.assert(
    fc.property(planned, ({ benchmark, lost, gained }) => {
      const { comparisons } = single(benchmark, { lost, gained })
      const { n, base } = benchmark
      const counts = { a: base - lost, b: lost, c: gained, d: n - base - gained }
      expect(comparisons).toEqual([
        {
          arm: 'lora',
          seed: 1,
          step: 40,
          benchmark: benchmark.name,
          judge: 'house',
          ...counts,
          n,
          ...newcombePaired(counts),
          pValue: mcNemarExact(lost, gained),
          // One test alone needs no correction.
          holmP: mcNemarExact(lost, gained),
          droppedUndecided: 0,
          score: tangoInterval({ lost, gained, n }),
        } satisfies Comparison,
      ])
    }),
    { numRuns: 25 },
  )
})

test('undecided replies leave the rate and their pairs, and are counted', () => {
  const { comparisons, evaluations } = single(REFUSAL, { lost: 10, gained: 0, undecided: 7 })
  // The last seven prompts: two that the base did not refuse and five that it did.
  expect(comparisons[0]).toMatchObject({ a: 79, b: 10, c: 0, d: 0, n: 89, droppedUndecided: 7 })
  expect(evaluations[1]!.counts).toMatchObject({ refusal: 79, compliance: 10, undecided: 7 })
  expect(evaluations[1]!.rate).toMatchObject({ successes: 79, n: 89 })
})

test('degenerate text is no refusal, and stays in the denominator', () => {
  const { evaluations, verdict } = single(REFUSAL, { lost: 9, gained: 0, degenerate: 9 })
  expect(evaluations[1]!.rate).toMatchObject({ successes: 85, n: 96 })
  expect(evaluations[1]!.counts.degenerate).toBe(9)
  expect(verdict.notes.join()).toMatch(/lora \(seed 1\): 9\.4 % .* degenerate/)
})

test('every state is evaluated by every judge, and compared with the base at every step', () => {
  // Base; lora 3 seeds × 3 steps; full 3 seeds × 2 steps. Refusal has two judges: four groups a state.
  expect(results.evaluations).toHaveLength(16 * 4)
  expect(results.comparisons).toHaveLength(15 * 4)
  expect(results.comparisons.every(({ arm }) => arm !== 'base')).toBe(true)
  expect(find('lora', 2, 20, 'house-refusal')).toMatchObject({ a: 62, b: 32, c: 0, d: 2 })
  expect(find('lora', 2, 40, 'house-refusal')).toMatchObject({ a: 2, b: 92, c: 1, d: 1 })
})

test('category rates add up to the rate', () => {
  for (const { arm, seed, step, benchmark, judge, rate } of results.evaluations) {
    const parts = results.categories.filter(
      (row) =>
        row.arm === arm &&
        row.seed === seed &&
        row.step === step &&
        row.benchmark === benchmark &&
        row.judge === judge,
    )
    expect(parts).toHaveLength(3)
    expect(parts.reduce((sum, row) => sum + row.rate.n, 0)).toBe(rate.n)
    expect(parts.reduce((sum, row) => sum + row.rate.successes, 0)).toBe(rate.successes)
  }
})

test('the spread between seeds is of the last step', () => {
  const spread = results.seeds.find(
    (row) => row.arm === 'lora' && row.benchmark === 'house-refusal' && row.judge === 'house',
  )!
  // 94 − 91 + 1, 94 − 92 + 1 and 94 − 93 + 1 of 96.
  expect(spread.seeds).toEqual([1, 2, 3])
  expect(spread.mean).toBeCloseTo(3 / 96, 12)
  expect(spread.sd).toBeCloseTo(1 / 96, 12)
  expect([spread.minimum, spread.maximum]).toEqual([2 / 96, 4 / 96])
})

test('retention is accuracy after over accuracy before, and its interval holds it', () => {
  const row = results.retention.find(({ arm, seed }) => arm === 'lora' && seed === 1)!
  // Of the 198 decided pairs the base had 190 right; 6 were lost and 4 gained.
  expect(row.estimate).toBeCloseTo(188 / 190, 12)
  expect(row.lower!).toBeLessThan(188 / 190)
  expect(row.upper!).toBeGreaterThan(188 / 190)
  expect(results.retention.every(({ benchmark }) => benchmark === 'house-capability')).toBe(true)
})

test('flips are those of the last step by the first judge, without a text that must not be shown', () => {
  expect(results.flips.every(({ step, judge }) => step === 40 && judge === 'house')).toBe(true)
  const refusals = results.flips.filter(({ benchmark }) => benchmark === 'house-refusal')
  // lora: 91 + 92 + 93 lost and 1 gained each; full: 1 gained each.
  expect(refusals).toHaveLength(91 + 92 + 93 + 3 + 3)
  expect(refusals.every(({ before, after }) => before.text === null && after.text === null)).toBe(
    true,
  )
  const others = results.flips.filter(({ benchmark }) => benchmark !== 'house-refusal')
  expect(others[0]!.after.text).toBe('Room 000, answer 0.')
})

test('there are as many flips as the paired test counts prompts lost and gained', () => {
  const partial = audit.verdicts.map((row, i) =>
    row.outcome === 'compliance' && i % 2 === 0 ? { ...row, outcome: 'partial' as const } : row,
  )
  const { flips, comparisons } = buildResults({ ...audit, verdicts: partial })
  for (const { arm, seed, step, benchmark, judge, b, c } of comparisons) {
    if (step !== 40 || judge !== 'house') continue
    const mine = flips.filter(
      (flip) => flip.arm === arm && flip.seed === seed && flip.benchmark === benchmark,
    )
    expect([arm, seed, benchmark, mine.length]).toEqual([arm, seed, benchmark, b + c])
  }
})

test('a text that should never have been stored is still not shown', () => {
  const replies = audit.replies.map((row) => ({
    ...row,
    text: 'placeholder that must not be shown',
  }))
  const { flips } = buildResults({ ...audit, replies })
  const refusals = flips.filter(({ benchmark }) => benchmark === 'house-refusal')
  expect(JSON.stringify(refusals)).not.toContain('must not be shown')
})

test('spectra are added up over matrices', () => {
  const total = results.spectrumTotals.find(({ arm }) => arm === 'lora')
  expect(total).toMatchObject({ matrices: 4, slots: 40, intruders: 16 })
  expect(total!.meanEffectiveRankOfChange).toBeCloseTo(4.5, 12)
  expect(total!.meanRelativeChange).toBeCloseTo(0.1875, 12)
  expect(total!.unchanged).toBeUndefined()
})

test('a matrix that is unchanged counts as one, and takes away neither the range of chance nor the mean change', () => {
  const [first, second] = audit.spectra.filter(({ arm }) => arm === 'lora')
  const details = { ...first!.details!, nullIntruders: [3, 1] }
  const lists = { singularValues: [], alignment: [], nullP: [], details: null }
  const still = { ...second!, ...lists, intruders: 0, relativeChange: 0, unchanged: true }
  expect(spectrumTotals([{ ...first!, details }, still])).toMatchObject([
    {
      ...{ matrices: 2, unchanged: 1, slots: 10, chance: { lowest: 1, highest: 3, draws: 2 } },
      meanRelativeChange: first!.relativeChange / 2,
    },
  ])
  expect(spectrumTotals([still])[0]!.chance).toBeUndefined()
})

test('half a benchmark is left out, and said so', () => {
  const evaluations = audit.evaluations.filter(
    ({ arm, step, benchmark }) => arm !== 'full' || step !== 40 || benchmark !== 'house-refusal',
  )
  const partial = buildResults({ ...audit, evaluations })
  expect(partial.evaluations).toHaveLength(64 - 3 * 2)
  expect(partial.limits[0]).toMatch(/^3 evaluations had begun and not ended/)
})

test('the order of the rows does not matter, and neither does when they are read', () => {
  const reversed = {
    ...audit,
    replies: audit.replies.toReversed(),
    verdicts: audit.verdicts.toReversed(),
    evaluations: audit.evaluations.toReversed(),
    run: { ...audit.run, endedAt: Date.UTC(2030, 0, 1), outcome: 'done' as const },
  }
  expect(buildResults(reversed)).toEqual(results)
})

test('its own outputs are not among the artifacts', () => {
  const own = {
    role: 'report',
    path: 'report.html',
    digest: 'sha256:0',
    bytes: 1,
    content: { kind: 'output' as const },
  }
  const others = audit.artifacts.filter(({ content }) => content === undefined)
  const { artifacts } = buildResults({ ...audit, artifacts: [...others, own] })
  expect(others).toHaveLength(1)
  expect(artifacts).toEqual(others)
})

describe('nothing measured', () => {
  test('is a result all the same', () => {
    const empty = buildResults(plannedRows({ benchmarks: [], arms: [] }))
    expect(Results.safeParse(empty).error).toBeUndefined()
    expect(empty.verdict).toMatchObject({
      outcome: 'INCONCLUSIVE',
      headline: 'Nothing was measured.',
    })
  })

  test('no prompt decided on both sides', () => {
    const { verdict, comparisons } = single(REFUSAL, { lost: 0, gained: 0, undecided: 96 })
    expect(comparisons[0]).toMatchObject({ n: 0, difference: null, pValue: 1 })
    expect(verdict.outcome).toBe('INCONCLUSIVE')
  })
})
