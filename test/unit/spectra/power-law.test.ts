import { describe, expect, test } from 'vitest'
import { powerLaw, powerLawOfSpectrum, SMALLEST_TAIL } from '../../../evals/spectra/power-law.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

const draws = (n: number, alpha: number, xmin: number, seed: number) => {
  const { uniform } = randomStream(seed, 'power law')
  return Array.from({ length: n }, () => xmin * (1 - uniform()) ** (-1 / (alpha - 1)))
}

describe('powerLaw', () => {
  test.each([1.8, 2.5, 4])('finds α = %d within its standard error, (α − 1) / √n', (alpha) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const law = powerLaw(draws(2000, alpha, 3, seed))!
      // Five standard errors of the tail that was chosen: a wrong exponent misses by far more.
      expect(Math.abs(law.alpha - alpha)).toBeLessThan((5 * (alpha - 1)) / Math.sqrt(law.tail))
      expect(law.tail).toBeGreaterThan(200)
    }
  })

  test('finds where the tail begins: below it the numbers are uniform', () => {
    const { uniform } = randomStream(9, 'bulk')
    const bulk = Array.from({ length: 1000 }, () => 10 * uniform())
    const law = powerLaw([...bulk, ...draws(1000, 2.5, 10, 6)])!
    expect(law.xmin).toBeGreaterThan(9)
    expect(law.xmin).toBeLessThan(20)
    expect(Math.abs(law.alpha - 2.5)).toBeLessThan(0.25)
  })

  test('α̂ of the best tail is the closed form, and no other tail is nearer', () => {
    const x = draws(60, 2.2, 1, 12).sort((a, b) => a - b)
    const fits = x.slice(0, x.length - SMALLEST_TAIL + 1).map((xmin, first) => {
      const tail = x.slice(first)
      const alpha = 1 + tail.length / tail.reduce((sum, v) => sum + Math.log(v / xmin), 0)
      const cdf = (v: number) => 1 - (v / xmin) ** (1 - alpha)
      const gaps = tail.flatMap((v, i) => [
        cdf(v) - i / tail.length,
        cdf(v) - (i + 1) / tail.length,
      ])
      return { alpha, xmin, distance: Math.max(...gaps.map(Math.abs)) }
    })
    const best = fits.reduce((a, b) => (b.distance < a.distance ? b : a))
    const law = powerLaw(x)!
    expect(law.xmin).toBe(best.xmin)
    expect(law.alpha).toBeCloseTo(best.alpha, 9)
    expect(law.distance).toBeCloseTo(best.distance, 9)
  })

  test('scale changes xmin alone; order changes nothing', () => {
    const x = draws(100, 3, 1, 4)
    const law = powerLaw(x)!
    const scaled = powerLaw(x.map((v) => v * 1e-30).reverse())!
    expect(scaled.alpha).toBeCloseTo(law.alpha, 9)
    expect(scaled.xmin / law.xmin).toBeCloseTo(1e-30, 40)
    expect(scaled.tail).toBe(law.tail)
  })

  test('has nothing to say of too few, of equal numbers, of zeros and of none', () => {
    const few = draws(SMALLEST_TAIL - 1, 2, 1, 1)
    for (const x of [
      [],
      few,
      new Float64Array(50),
      new Float64Array(50).fill(3),
      [NaN, Infinity],
    ]) {
      expect(powerLaw(x)).toBeNull()
    }
  })
})

test('the law of a spectrum is that of its squares, at any size', () => {
  const σ = draws(80, 3, 1, 8).sort((a, b) => b - a)
  const law = powerLawOfSpectrum(σ)!
  const squares = powerLaw(σ.map((v) => v * v))!
  expect(law.alpha).toBeCloseTo(squares.alpha, 9)
  expect(law.xmin).toBeCloseTo(squares.xmin, 9)
  expect(powerLawOfSpectrum(σ.map((v) => v * 1e-200))!.alpha).toBeCloseTo(law.alpha, 9)
  expect(powerLawOfSpectrum([0, 0])).toBeNull()
  expect(powerLawOfSpectrum([])).toBeNull()
})
