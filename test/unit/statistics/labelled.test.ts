/** @file Labels by people: exact limits, Fisher's test, PPI++ and the corrected paired change. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  fisherExact,
  leastOfPopulation,
  mostOfPopulation,
} from '../../../evals/statistics/hypergeometric.ts'
import { labelsNeeded, spreadOver } from '../../../evals/statistics/judges/label-plan.ts'
import {
  labelledHarm,
  labelledTests,
  upperHarm,
  type LabelledChange,
} from '../../../evals/statistics/judges/labelled-change.ts'
import { predictionPoweredMean } from '../../../evals/statistics/judges/prediction-powered.ts'
import { marginTests } from '../../../evals/statistics/paired/non-inferiority.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { fc } from '../../doubles/properties.ts'

const numbers = z.array(z.number())
const pair = z.tuple([z.int(), z.int()])
const Golden = z.object({
  limits: z.array(
    z.object({
      ...{ x: z.int(), m: z.int(), N: z.int(), alpha: z.number(), most: z.int(), least: z.int() },
    }),
  ),
  fisher: z.array(z.object({ one: pair, two: pair, p: z.number() })),
  powered: z.array(
    z.object({
      ...{ truth: numbers, guess: numbers, others: numbers, weights: numbers },
      ...{ estimate: z.number(), lower: z.number(), upper: z.number() },
    }),
  ),
})
const path = new URL('../../golden/fixtures/labelled.json', import.meta.url)
const golden = Golden.parse(JSON.parse(readFileSync(path, 'utf8')))

describe('SciPy', () => {
  it.each(golden.limits)(
    'limits of $x of $m from $N at $alpha',
    ({ x, m, N, alpha, ...limits }) => {
      expect(mostOfPopulation(x, m, N, alpha)).toBe(limits.most)
      expect(leastOfPopulation(x, m, N, alpha)).toBe(limits.least)
    },
  )

  it.each(golden.fisher)('Fisher’s test of $one and $two', ({ one, two, p }) => {
    const [a, b] = [one, two].map(([successes, n]) => ({ successes, n }))
    expect(fisherExact(a!, b!)).toBeCloseTo(p, 12)
  })
})

describe('ppi-python', () => {
  it.each(golden.powered)('PPI++ of $truth.length labels', ({ truth, guess, others, ...row }) => {
    const labelled = truth.map((value, i) => ({
      ...{ truth: value, predicted: guess[i]!, weight: row.weights[i]! },
    }))
    const found = predictionPoweredMean(labelled, others)!
    for (const key of ['estimate', 'lower', 'upper'] as const) {
      expect(found[key]).toBeCloseTo(row[key], 12)
    }
  })
})

/** The judge called nearly every compliance after a refusal: 160 of 400 refusals were lost and it saw none. */
const fooled: LabelledChange = {
  strata: [
    { prompts: 392, labelled: 60, lost: 25, gained: 0 },
    { prompts: 8, labelled: 8, lost: 0, gained: 0 },
  ],
  open: 0,
}

describe('the corrected change', () => {
  it('sees a loss that the judge did not', () => {
    expect(labelledTests(fooled, 0.05).below).toBe(1)
    expect(labelledTests(fooled, 0.05).above).toBeLessThan(1e-6)
    expect(labelledHarm(fooled).estimate).toBeCloseTo((392 * 25) / 60 / 400, 12)
  })

  it('is the exact test of the labels where everything is labelled', () => {
    const strata = [
      { prompts: 380, labelled: 380, lost: 2, gained: 1 },
      { prompts: 20, labelled: 20, lost: 4, gained: 3 },
    ]
    const { below } = labelledTests({ strata, open: 0 }, 0.05)
    const exact = marginTests({ lost: 6, gained: 4, n: 400 }, 0.05)!.below
    expect(below).toBeGreaterThanOrEqual(exact)
    expect(below).toBeLessThan(1.5 * exact)
  })

  it('counts what nobody labelled, and what no judge decided, as harm', () => {
    const none = { prompts: 40, labelled: 0, lost: 0, gained: 0 }
    const whole = { prompts: 360, labelled: 360, lost: 0, gained: 0 }
    const some = { strata: [whole, none], open: 0 }
    expect(labelledHarm(some).upper).toBeGreaterThan(0.1)
    expect(labelledHarm(some).lower).toBeLessThan(-0.1)
    expect(upperHarm({ strata: [whole], open: 40 }, 0.05)).toBe(upperHarm(some, 0.05))
  })

  it('narrows with labels, widens with dependence, and its p agrees with its limits', () => {
    const arbitrary = fc.record({
      prompts: fc.integer({ min: 60, max: 400 }),
      labelled: fc.integer({ min: 10, max: 60 }),
      lost: fc.integer({ min: 0, max: 4 }),
      gained: fc.integer({ min: 0, max: 4 }),
    })
    fc.assert(
      fc.property(arbitrary, fc.integer({ min: 1, max: 20 }), (row, open) => {
        const change = { strata: [row], open }
        const upper = upperHarm(change, 0.05)
        expect(upper).toBeGreaterThanOrEqual(upperHarm({ ...change, open: open - 1 }, 0.05) - 1e-9)
        expect(upperHarm({ ...change, designEffect: 2 }, 0.05)).toBeGreaterThan(upper)
        // A margin lies between 0 and 1: where more is gained than lost the limit itself may not.
        if (upper - 1e-6 <= 0 || upper + 0.01 >= 1) return
        expect(labelledTests(change, upper + 0.01).below).toBeLessThanOrEqual(0.05)
        expect(labelledTests(change, upper - 1e-6).below).toBeGreaterThan(0.049)
      }),
      { numRuns: 25 },
    )
  })

  it.each([
    ['a judge that errs after alone', 0.98, 0.05],
    ['a good judge', 0.98, 0.98],
  ])('passes a harm of the margin at most as often as α: %s', (_, se, sp) => {
    const runs = 400
    const stream = randomStream(3, 'size')
    let passed = 0
    for (let run = 0; run < runs; run++) {
      if (upperHarm(planted({ stream, lost: 0.05, se, sp, labels: 200 }), 0.05) < 0.05) passed++
    }
    // Three standard errors of 5 % of 400.
    expect(passed / runs).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs))
  })

  it('takes small strata whole', () => {
    expect(spreadOver([375, 8, 7, 10], 120)).toEqual([95, 8, 7, 10])
    expect(spreadOver([3, 3], 100)).toEqual([3, 3])
    expect(spreadOver([5, 5, 5], 7).reduce((sum, x) => sum + x)).toBe(7)
  })

  it('plans more labels for a worse judge, and none where prompts are too few', () => {
    const good = {
      ...{ prompts: 400, margin: 0.05, alpha: 0.05, power: 0.8, baseRate: 0.95 },
      ...{ discordance: 0.02, sensitivity: 0.98, specificity: 0.95 },
    }
    const found = labelsNeeded(good)!
    expect(found.power).toBeGreaterThanOrEqual(0.8)
    expect(labelsNeeded({ ...good, sensitivity: 0.8, specificity: 0.8 })!.labels).toBeGreaterThan(
      found.labels,
    )
    expect(labelsNeeded({ ...good, prompts: 40 })).toBeNull()
  })
})

interface Planted {
  readonly stream: ReturnType<typeof randomStream>
  readonly lost: number
  /** Before both errors are 2 %; after the judge has these. */
  readonly se: number
  readonly sp: number
  readonly labels: number
}

function planted({ stream, lost, se, sp, labels }: Planted): LabelledChange {
  const strata = [0, 1, 2, 3].map((): number[] => [])
  for (let i = 0; i < 400; i++) {
    const u = stream.uniform()
    const [before, after] = [u < 0.95, u < 0.95 - lost]
    const says = (is: boolean, hits: number, leaves: number) =>
      Number(stream.uniform() < (is ? hits : 1 - leaves))
    const stratum = 2 * says(before, 0.98, 0.98) + says(after, se, sp)
    strata[stratum]!.push(Number(before) - Number(after))
  }
  const taken = spreadOver(
    strata.map(({ length }) => length),
    labels,
  )
  return {
    open: 0,
    strata: strata.map((changes, i) => ({
      prompts: changes.length,
      labelled: taken[i]!,
      lost: changes.slice(0, taken[i]).filter((change) => change > 0).length,
      gained: changes.slice(0, taken[i]).filter((change) => change < 0).length,
    })),
  }
}
