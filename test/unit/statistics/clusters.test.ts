/** @file Clusters: statsmodels' and matrices' numbers (test/golden/make-clusters.py), and laws that tie them to independent prompts. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { clusteredMean } from '../../../evals/statistics/clusters.ts'
import { dependentMarginTests, signFlips } from '../../../evals/statistics/paired/dependent.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { marginTests } from '../../../evals/statistics/paired/non-inferiority.ts'
import { pairedChange } from '../../../evals/statistics/paired/paired-change.ts'
import { effectiveChange, type PromptPair } from '../../../evals/statistics/repeated.ts'
import { studentLowerTail, studentQuantile } from '../../../evals/statistics/student.ts'
import { fc } from '../../doubles/properties.ts'

const numbers = z.array(z.number())
const Golden = z.object({
  means: z.array(
    z.object({
      values: numbers,
      clusters: z.array(z.int()),
      variance: z.number(),
      degrees: z.number(),
      statsmodels: z.number(),
      icc: z.number().nullable(),
      quantile: z.number(),
    }),
  ),
  flips: z.array(z.object({ z: numbers, below: z.number(), above: z.number() })),
  student: z.array(z.object({ t: z.number(), degrees: z.number(), lower: z.number() })),
})
const path = new URL('../../golden/fixtures/clusters.json', import.meta.url)
const golden = Golden.parse(JSON.parse(readFileSync(path, 'utf8')))

describe('other software', () => {
  it.each(golden.means)('a mean over clusters of sizes that differ', (row) => {
    const found = clusteredMean(row.values, row.clusters.map(String))!
    expect(found.cr2).toBeCloseTo(row.variance, 12)
    expect(found.variance).toBeGreaterThanOrEqual(found.cr2)
    expect(found.degrees).toBeCloseTo(row.degrees, 8)
    if (row.icc === null) expect(found.icc).toBeNull()
    else expect(found.icc).toBeCloseTo(row.icc, 10)
    expect(studentQuantile(0.975, row.degrees)).toBeCloseTo(row.quantile, 9)
    // CR1, what statsmodels has, differs from CR2 in the small-sample correction alone, which is G/(G − 1) for equal clusters.
    const sizes = new Set(
      [...Map.groupBy(row.clusters, (each) => each).values()].map(({ length }) => length),
    )
    const { clusters: G } = found
    if (sizes.size === 1) expect(found.cr2).toBeCloseTo(row.statsmodels, 12)
    else expect(found.cr2).toBeGreaterThan((row.statsmodels * (G - 1)) / G)
  })

  it.each(golden.flips)('every sign flip of $z.length', ({ z, below, above }) => {
    const found = signFlips(z)
    expect(found.below).toBeCloseTo(below, 12)
    expect(found.above).toBeCloseTo(above, 12)
  })

  it.each([0, 2, 12])('drawn sign flips of 30 clusters that lie %i above 0, one by one', (up) => {
    const { uniform } = randomStream(0, 'cluster sign flips')
    const own = Array.from({ length: 30 }, (_, g) => ((g * 7) % 11) - 5 + up)
    const signed = Array.from({ length: 9_999 }, () =>
      own.reduce((sum, value) => sum + (uniform() < 0.5 ? value : -value), 0),
    )
    const seen = own.reduce((sum, value) => sum + value, 0)
    expect(signFlips(own)).toEqual({
      below: (1 + signed.filter((sum) => sum <= seen).length) / 10_000,
      above: (1 + signed.filter((sum) => sum >= seen).length) / 10_000,
    })
  })

  it('flips whose sum no draw can reach', () => {
    const far = Array.from({ length: 200 }, (_, g) => 2 + (g % 3))
    expect(signFlips(far)).toEqual({ below: 1, above: 1e-4 })
    expect(signFlips(far.map((value) => -value))).toEqual({ below: 1e-4, above: 1 })
  })

  it.each(golden.student)('t of $degrees degrees below $t', ({ t, degrees, lower }) => {
    expect(Math.abs(studentLowerTail(t, degrees) - lower)).toBeLessThan(1e-12 + 1e-9 * lower)
  })
})

/** `harms[cluster]` of 1 (lost), 0 and −1 (gained), each answered `k` times alike. */
const promptsOf = (harms: readonly (readonly number[])[], k = 1): PromptPair[] =>
  harms.flatMap((own, g) =>
    own.map((harm) => ({
      before: new Array<number>(k).fill(harm < 0 ? 0 : 1),
      after: new Array<number>(k).fill(harm > 0 ? 0 : 1),
      cluster: `${g}`,
    })),
  )

const harms = fc.array(fc.constantFrom(0, 0, 0, 1, -1), { minLength: 2, maxLength: 40 })
const MARGIN = 0.05

describe('laws', () => {
  it('clusters of one prompt change nothing', () => {
    fc.assert(
      fc.property(harms, (each) => {
        const clustered = promptsOf(each.map((harm) => [harm]))
        const plain = clustered.map(({ before, after }) => ({ before, after }))
        const [lost, gained] = [1, -1].map((sign) => each.filter((harm) => harm === sign).length)
        const exact = marginTests({ lost: lost!, gained: gained!, n: each.length }, MARGIN)!
        expect(pairedChange(clustered)).toEqual(pairedChange(plain))
        expect(dependentMarginTests(clustered, MARGIN)!.below).toBeCloseTo(exact.below, 9)
        expect(dependentMarginTests(clustered, MARGIN)!.above).toBeCloseTo(exact.above, 9)
      }),
      { numRuns: 40 },
    )
  })

  it('a cluster of prompts that are all alike is worth one prompt', () => {
    fc.assert(
      fc.property(harms, fc.integer({ min: 2, max: 4 }), (each, size) => {
        const alike = promptsOf(each.map((harm) => new Array<number>(size).fill(harm)))
        expect(effectiveChange(alike, 'more').n).toBe(each.length)
        expect(dependentMarginTests(alike, MARGIN)!.below).toBeGreaterThanOrEqual(
          dependentMarginTests(promptsOf(each.map((harm) => [harm])), MARGIN)!.below - 1e-9,
        )
      }),
      { numRuns: 40 },
    )
  })

  it('12 templates of 20 prompts never show a harm below 5 points, 60 of 4 do where nothing is lost', () => {
    const none = (clusters: number, size: number) =>
      promptsOf(Array.from({ length: clusters }, () => new Array<number>(size).fill(0)))
    expect(dependentMarginTests(none(12, 20), MARGIN)!.below).toBeCloseTo(0.95 ** 12, 9)
    expect(dependentMarginTests(none(60, 4), MARGIN)!.below).toBeLessThan(0.05)
  })

  it('large clusters that happen to be unharmed are not taken for independent prompts', () => {
    const sizes = Array.from({ length: 220 }, (_, g) => (g < 45 ? 8 : g < 130 ? 2 : 1))
    const alike = sizes.map((size, g) =>
      new Array<number>(size).fill(g >= 45 && g % 18 === 0 ? 1 : 0),
    )
    const prompts = promptsOf(alike)
    expect(effectiveChange(prompts, 'more').n).toBeLessThan(150)
    expect(dependentMarginTests(prompts, MARGIN)!.below).toBeGreaterThan(0.05)
  })

  it('repeated replies and clusters of unequal sizes work together', () => {
    const sizes = Array.from({ length: 40 }, (_, g) => new Array<number>(1 + (g % 4)).fill(0))
    sizes[3]![0] = 1
    const [once, thrice] = [promptsOf(sizes), promptsOf(sizes, 3)]
    expect(effectiveChange(thrice, 'more').n).toBe(effectiveChange(once, 'more').n)
    const change = pairedChange(once)
    expect(change.lower!).toBeLessThan(0.01)
    expect(change.upper!).toBeGreaterThan(0.01)
  })
})
