/** @file The new estimators against SciPy and against sums over every outcome (test/golden/make-statistics.py). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { clopperPearson, midPInterval } from '../../../evals/statistics/exact-binomial.ts'
import { marginTests, tangoScore } from '../../../evals/statistics/paired/non-inferiority.ts'
import { normalLowerTail, normalQuantile } from '../../../evals/statistics/normal.ts'
import { mcNemarExact } from '../../../evals/statistics/paired/paired.ts'
import { mcNemarPower } from '../../../evals/statistics/paired/power.ts'
import { varianceComponents } from '../../../evals/statistics/variance-components.ts'

const change = { n: z.int(), lost: z.number(), gained: z.number() }
const pair = z.tuple([z.number(), z.number()])
const Golden = z.object({
  normal: z.array(z.object({ x: z.number(), lower: z.number() })),
  intervals: z.array(
    z.object({ x: z.int(), n: z.int(), confidence: z.number(), exact: pair, midP: pair }),
  ),
  mcnemar: z.array(z.object({ b: z.int(), c: z.int(), exact: z.number() })),
  scores: z.array(z.object({ ...change, margin: z.number(), score: z.number() })),
  margins: z.array(
    z.object({ ...change, margin: z.number(), below: z.number(), above: z.number() }),
  ),
  power: z.array(z.object({ ...change, alpha: z.number(), power: z.number() })),
  variance: z.object({
    scores: z.array(z.array(z.array(z.number()))),
    seed: z.number(),
    prompt: z.number(),
    seedByPrompt: z.number(),
    sample: z.number(),
  }),
})
const path = new URL('../../golden/fixtures/statistics.json', import.meta.url)
const golden = Golden.parse(JSON.parse(readFileSync(path, 'utf8')))

const relative = (value: number, expected: number) =>
  Math.abs(value - expected) / Math.max(Math.abs(expected), Number.MIN_VALUE)

describe('SciPy’s normal distribution', () => {
  it.each(golden.normal)('below $x', ({ x, lower }) => {
    expect(relative(normalLowerTail(x), lower)).toBeLessThan(1e-12)
    if (x > -8 && x < 3) expect(normalQuantile(lower)).toBeCloseTo(x, 9)
  })
})

describe('SciPy’s beta quantiles and roots', () => {
  it.each(golden.intervals)('of $x / $n at $confidence', ({ x, n, confidence, exact, midP }) => {
    for (const [found, expected] of [
      [clopperPearson(x, n, confidence), exact],
      [midPInterval(x, n, confidence), midP],
    ] as const) {
      expect(found.lower).toBeCloseTo(expected[0], 11)
      expect(found.upper).toBeCloseTo(expected[1], 11)
    }
  })
})

it.each(golden.mcnemar)('binomtest of ($b, $c)', ({ b, c, exact }) => {
  expect(relative(mcNemarExact(b, c), exact)).toBeLessThan(1e-11)
})

describe('non-inferiority', () => {
  it.each(golden.scores)(
    'score of $lost − $gained of $n at $margin',
    ({ margin, score, ...of }) => {
      expect(tangoScore(of, margin)).toBeCloseTo(score, 5)
    },
  )

  it.each(golden.margins)('p of $lost − $gained of $n at $margin', (row) => {
    const tests = marginTests(row, row.margin)
    expect(tests?.method).toBe('exact')
    // Their grid is denser, ours is refined around the best: each may find a little more than the other.
    expect(relative(tests!.below, row.below)).toBeLessThan(2e-4)
    expect(relative(tests!.above, row.above)).toBeLessThan(2e-4)
  })
})

it.each(golden.power)('McNemar’s power with $n, $lost, $gained', ({ n, alpha, power, ...of }) => {
  expect(mcNemarPower(n, of, alpha)).toBeCloseTo(power, 10)
})

it('the components of a small table', () => {
  const { scores, ...expected } = golden.variance
  const found = varianceComponents(scores)!
  for (const name of ['seed', 'prompt', 'seedByPrompt', 'sample'] as const) {
    expect(found[name]).toBeCloseTo(expected[name], 12)
  }
})
