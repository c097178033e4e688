import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { nullDistribution } from '../../../evals/spectra/null-distribution.ts'
import { chiSquare, fillNormal, randomStream } from '../../../evals/statistics/random.ts'

type Row = { m: number; k: number; band: [number, number] }
const { rows } = JSON.parse(
  readFileSync(new URL('../../golden/fixtures/spectra-null.json', import.meta.url), 'utf8'),
) as { rows: Row[] }

/** The method page's table, 1 % and 99 %. */
const PUBLISHED: [number, number, number, number][] = [
  [16, 16, 0.387, 0.743],
  [32, 32, 0.313, 0.589],
  [64, 64, 0.249, 0.452],
  [128, 128, 0.196, 0.34],
  [256, 64, 0.116, 0.233],
]

describe('nullDistribution', () => {
  test.each(PUBLISHED)('%i dimensions, %i directions: the published band', (m, k, low, high) => {
    const { nullBand } = nullDistribution(m, k)
    expect(Math.abs(nullBand[0] - low)).toBeLessThan(0.01)
    expect(Math.abs(nullBand[1] - high)).toBeLessThan(0.01)
  })

  test.each(rows.filter(({ k }) => k <= 256))('numpy’s band for ($m, $k)', ({ m, k, band }) => {
    const { nullBand } = nullDistribution(m, k)
    expect(Math.abs(nullBand[0] - band[0])).toBeLessThan(0.006)
    expect(Math.abs(nullBand[1] - band[1])).toBeLessThan(0.006)
  })

  test('more draws agree with fewer', () => {
    const few = nullDistribution(64, 64)
    const many = nullDistribution(64, 64, 100_000)
    expect(few).not.toBe(many)
    for (const p of [0.01, 0.5, 0.99]) {
      expect(Math.abs(few.quantile(p) - many.quantile(p))).toBeLessThan(0.006)
    }
  })

  test('in two dimensions c ≥ 1/√2 always, and P(c ≥ x) = (4/π) arccos x', () => {
    const { nullP, nullBand } = nullDistribution(2, 2)
    expect(nullP(Math.SQRT1_2 - 1e-9)).toBe(1)
    expect(nullBand[0]).toBeGreaterThan(Math.SQRT1_2)
    for (const x of [0.75, 0.9, 0.99]) {
      expect(Math.abs(nullP(x) - (4 / Math.PI) * Math.acos(x))).toBeLessThan(0.015)
    }
  })

  test('one coordinate of two: P(c ≥ x) = (2/π) arccos x', () => {
    const { nullP } = nullDistribution(2, 1)
    for (const x of [0.1, 0.5, 0.9]) {
      expect(Math.abs(nullP(x) - (2 / Math.PI) * Math.acos(x))).toBeLessThan(0.015)
    }
  })

  test('nullP falls from 1 to 1 / (draws + 1), never to 0', () => {
    const { nullP } = nullDistribution(32, 32)
    expect(nullP(0)).toBe(1)
    expect(nullP(1)).toBe(1 / 20_001)
    const values = Array.from({ length: 101 }, (_, i) => nullP(i / 100))
    expect(values).toEqual(values.toSorted((a, b) => b - a))
  })

  test('a line has one direction, and everything aligns with it', () => {
    const { nullP, nullBand } = nullDistribution(1, 1)
    expect(nullBand).toEqual([1, 1])
    expect(nullP(1)).toBe(1)
  })

  test('shapes that cannot be are our own bug', () => {
    expect(() => nullDistribution(4, 5)).toThrow('internal:')
    expect(() => nullDistribution(4, 0)).toThrow('internal:')
  })
})

describe('random', () => {
  test('one seed, one sequence; another seed, another', () => {
    const draw = (seed: number) => fillNormal(new Float64Array(9), randomStream(seed, 'test'))
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
  })

  test.each([1, 2, 7, 192])('χ² with %i degrees has mean n and variance 2n', (degrees) => {
    const draws = 20_000
    const stream = randomStream(degrees, 'test')
    const values = Array.from({ length: draws }, () => chiSquare(degrees, stream))
    const mean = values.reduce((a, b) => a + b, 0) / draws
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (draws - 1)
    // Five standard errors: Var(mean) = 2n / draws, Var(variance) ≈ (μ₄ − σ⁴) / draws with μ₄ = 12 n (n + 4).
    expect(Math.abs(mean - degrees)).toBeLessThan(5 * Math.sqrt((2 * degrees) / draws))
    const spread = 12 * degrees * (degrees + 4) - 4 * degrees ** 2
    expect(Math.abs(variance - 2 * degrees)).toBeLessThan(5 * Math.sqrt(spread / draws))
  })

  test('normals have mean 0, variance 1 and fourth moment 3', () => {
    const z = fillNormal(new Float64Array(100_000), randomStream(3, 'test'))
    const moment = (power: number) => z.reduce((sum, x) => sum + x ** power, 0) / z.length
    // Five standard errors of the moments of N(0, 1): √(1, 2, 96) / √draws.
    const error = 5 / Math.sqrt(z.length)
    expect(Math.abs(moment(1))).toBeLessThan(error)
    expect(Math.abs(moment(2) - 1)).toBeLessThan(error * Math.sqrt(2))
    expect(Math.abs(moment(4) - 3)).toBeLessThan(error * Math.sqrt(96))
  })
})
