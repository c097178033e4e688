/** @file The size of the non-inferiority test at its margin, cell by cell over every outcome, and what power means. */
import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { z } from 'zod'
import {
  criticalScore,
  exactBelow,
  EXACT_UP_TO,
  marginTests,
  tangoInterval,
  tangoScore,
} from '../../../evals/statistics/paired/non-inferiority.ts'
import { lossLimits, regionProbability } from '../../../evals/statistics/paired/paired-tail.ts'
import {
  mcNemarPower,
  nonInferiorityPower,
  promptsNeeded,
  seedsNeeded,
} from '../../../evals/statistics/paired/power.ts'
import { trinomial } from '../../doubles/statistics/trinomial.ts'
import { fc } from '../../doubles/properties.ts'

const ALPHA = 0.05

/** The largest P[shown to be below] at harm = margin, over a grid of the nuisance that is not the test's own. */
function size(n: number, margin: number, isRejected: (b: number, c: number) => boolean): number {
  const cells = trinomial(n)
  let largest = 0
  for (let i = 0; i <= 61; i++) {
    const gained = ((1 - margin) / 2) * (i / 61) ** 1.7
    largest = Math.max(largest, cells.probability(isRejected, { lost: gained + margin, gained }))
  }
  return largest
}

/** By plain halving, every place of the nuisance summed for every score. */
function plainCriticalScore(n: number, margin: number, alpha: number): number {
  let [low, high] = [-12, 0]
  for (let i = 0; i < 26; i++) {
    const middle = (low + high) / 2
    if (exactBelow(n, margin, middle) <= alpha) low = middle
    else high = middle
  }
  return low
}

test.each([1, 2, 3, 8, 20, 37, 64, 96, 161])(
  'the critical score of %d prompts is that of plain halving, to the last bit',
  (n) => {
    for (const margin of [0.005, 0.03, 0.1, 0.2, 0.5]) {
      for (const alpha of [0.01, 0.05]) {
        expect(criticalScore(n, margin, alpha), `${margin} ${alpha}`).toBe(
          plainCriticalScore(n, margin, alpha),
        )
      }
    }
  },
)

test.each([7, 40, 120])(
  'a region’s probability among %d prompts is the sum over its cells',
  (n) => {
    const cells = trinomial(n)
    for (const margin of [0.01, 0.1, 0.4]) {
      for (const score of [-4, -1.7, 0, 1]) {
        const isInside = (lost: number, gained: number) =>
          tangoScore({ lost, gained, n }, margin) <= score
        const limits = lossLimits(n, isInside)
        for (const gained of [0, 0.001, 0.05, (1 - margin) / 2]) {
          const at = { lost: gained + margin, gained }
          const whole = cells.probability(isInside, at)
          expect(Math.abs(regionProbability(limits, n, at) - whole)).toBeLessThan(
            1e-11 * whole + 1e-15,
          )
        }
      }
    }
  },
)

describe('size at the margin', () => {
  const grid = [5, 10, 20, 37, 50, 96, 120, 200].flatMap((n) =>
    [0.01, 0.03, 0.05, 0.1, 0.2].map((margin) => [n, margin] as const),
  )

  it.each(grid)('n = %d, δ = %d: at most α, outcome by outcome', (n, margin) => {
    const critical = criticalScore(n, margin, ALPHA)
    const rejected = (lost: number, gained: number) =>
      tangoScore({ lost, gained, n }, margin) <= critical
    expect(size(n, margin, rejected)).toBeLessThanOrEqual(ALPHA)
  })

  it('needs the calibration: the plain score test is too large in the same grid', () => {
    const plain = grid.map(([n, margin]) =>
      size(n, margin, (lost, gained) => tangoScore({ lost, gained, n }, margin) <= -1.6448536),
    )
    expect(Math.max(...plain)).toBeGreaterThan(ALPHA + 0.003)
  })

  it('the p-values reject what the critical score does, in both directions within their level', () => {
    const [n, margin] = [40, 0.1]
    const critical = criticalScore(n, margin, ALPHA)
    for (let lost = 0; lost <= n; lost++) {
      for (let gained = 0; lost + gained <= n; gained += 3) {
        const tests = marginTests({ lost, gained, n }, margin)!
        const isBelow = tangoScore({ lost, gained, n }, margin) <= critical
        expect(tests.below <= ALPHA, `${lost} ${gained}`).toBe(isBelow)
        if (isBelow) expect(tests.above).toBeGreaterThan(ALPHA)
      }
    }
    const above = (lost: number, gained: number) =>
      marginTests({ lost, gained, n }, margin)!.above <= ALPHA
    expect(size(n, margin, above)).toBeLessThanOrEqual(ALPHA)
  })

  it('in the committed table: never above α up to 200 prompts, never above α + 0.003', () => {
    const path = new URL('../../golden/fixtures/coverage.json', import.meta.url)
    const Row = z.object({ n: z.int(), margin: z.number(), size: z.number() })
    const { sizes } = z
      .object({ sizes: z.array(Row) })
      .parse(JSON.parse(readFileSync(path, 'utf8')))
    expect(sizes.some(({ n }) => n > EXACT_UP_TO)).toBe(true)
    for (const { n, size: found } of sizes) {
      expect(found).toBeLessThanOrEqual(n <= 200 ? ALPHA : ALPHA + 0.003)
    }
  })
})

describe('a T that rises with the losses', () => {
  it('so that regions have one limit for each number of changed prompts', () => {
    const input = fc.tuple(
      fc.integer({ min: 1, max: 300 }),
      fc.double({ min: 0.001, max: 0.9, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    fc.assert(
      fc.property(input, ([n, margin, u, v]) => {
        const changed = 1 + Math.floor(u * (n - 1))
        const lost = 1 + Math.floor(v * (changed - 1))
        const score = (b: number) => tangoScore({ lost: b, gained: changed - b, n }, margin)
        expect(score(lost)).toBeGreaterThan(score(lost - 1))
      }),
    )
  })
})

it('with nothing changed, p is the probability that a harm of δ shows nowhere', () => {
  expect(marginTests({ lost: 0, gained: 0, n: 96 }, 0.03)!.below).toBeCloseTo(0.97 ** 96, 12)
})

it('without prompts says nothing, and refuses counts that do not fit', () => {
  expect(marginTests({ lost: 0, gained: 0, n: 0 }, 0.03)).toBeNull()
  expect(() => marginTests({ lost: 3, gained: 0, n: 2 }, 0.03)).toThrow('internal: n − lost')
  expect(() => marginTests({ lost: 0, gained: 0, n: 2 }, 0)).toThrow('internal: margin')
})

it('goes on without a jump where the exact test ends', () => {
  const at = (n: number) => marginTests({ lost: 40, gained: 20, n }, 0.03)!
  const [exact, score] = [at(EXACT_UP_TO), at(EXACT_UP_TO + 1)]
  expect([exact.method, score.method]).toEqual(['exact', 'score'])
  expect(Math.abs(exact.below - score.below)).toBeLessThan(0.003)
  expect(Math.abs(exact.above - score.above)).toBeLessThan(0.003)
})

describe('power', () => {
  it('of the non-inferiority test is the sum over what it passes', () => {
    const [n, margin] = [60, 0.1]
    const change = { lost: 0.03, gained: 0.02 }
    const passes = (lost: number, gained: number) =>
      marginTests({ lost, gained, n }, margin)!.below <= ALPHA
    const expected = trinomial(n).probability(passes, change)
    expect(nonInferiorityPower(n, change, { margin, alpha: ALPHA })).toBeCloseTo(expected, 9)
  })

  it('is at most α where nothing changed, for McNemar', () => {
    for (const n of [10, 55, 140]) {
      expect(mcNemarPower(n, { lost: 0.1, gained: 0.1 }, ALPHA)).toBeLessThanOrEqual(ALPHA)
    }
  })

  it('promptsNeeded finds the first that holds, and gives up at its limit', () => {
    const saw = (n: number) => (n < 90 ? 0.5 : n === 95 ? 0.79 : 0.9)
    expect(promptsNeeded(saw, 0.8, 1000)).toBe(96)
    expect(promptsNeeded(saw, 0.95, 1000)).toBeNull()
  })

  it('seedsNeeded: 14 of 14 exclude a process of which fewer than 80 % pass', () => {
    expect(seedsNeeded(0.8, 0.05)).toBe(14)
    expect(0.8 ** 14).toBeLessThanOrEqual(0.05)
    expect(0.8 ** 13).toBeGreaterThan(0.05)
    expect(seedsNeeded(0.5, 0.5)).toBe(1)
  })
})

describe('Tango’s interval', () => {
  const change = fc
    .record({ lost: fc.nat({ max: 60 }), gained: fc.nat({ max: 60 }), alike: fc.nat({ max: 60 }) })
    .filter(({ lost, gained, alike }) => lost + gained + alike > 0)
    .map(({ lost, gained, alike }) => ({ lost, gained, n: lost + gained + alike }))
  const Z = 1.959964
  const scoreAt = (
    { lost, gained, n }: { lost: number; gained: number; n: number },
    harm: number,
  ) =>
    harm < 0
      ? -tangoScore({ lost: gained, gained: lost, n }, -harm)
      : tangoScore({ lost, gained, n }, harm)

  it('ends where the score is ±z, or at ±1, and holds what was seen', () => {
    fc.assert(
      fc.property(change, (each) => {
        const { lower, upper } = tangoInterval(each)!
        const seen = (each.lost - each.gained) / each.n
        expect(lower).toBeLessThanOrEqual(seen)
        expect(upper).toBeGreaterThanOrEqual(seen)
        if (lower > -1) expect(scoreAt(each, lower)).toBeCloseTo(Z, 6)
        if (upper < 1) expect(scoreAt(each, upper)).toBeCloseTo(-Z, 6)
      }),
    )
  })

  it('turned round is turned round', () => {
    fc.assert(
      fc.property(change, ({ lost, gained, n }) => {
        const one = tangoInterval({ lost, gained, n })!
        const other = tangoInterval({ lost: gained, gained: lost, n })!
        expect(other.lower).toBeCloseTo(-one.upper, 12)
        expect(other.upper).toBeCloseTo(-one.lower, 12)
      }),
    )
  })

  it('has a width where nothing changed, and reaches 1 where everything was lost', () => {
    // With b = c = 0 and δ > 0 the likelihood's p₀₁ is 0, so T = −nδ/√(n(δ − δ²)) and δ = z²/(n + z²).
    expect(tangoInterval({ lost: 0, gained: 0, n: 20 })!.upper).toBeCloseTo(
      Z ** 2 / (20 + Z ** 2),
      9,
    )
    expect(tangoInterval({ lost: 20, gained: 0, n: 20 })!.upper).toBe(1)
    expect(tangoInterval({ lost: 0, gained: 0, n: 0 })).toBeNull()
  })
})
