/** @file Random features: the curve of docs/methods/double-descent.md, the closed form of its test error, and purity. */
import { describe, expect, it } from 'vitest'
import { testForPeak } from '../../../../evals/sweeps/detectors/peak.ts'
import {
  populationError,
  randomFeatures,
} from '../../../../evals/sweeps/testbeds/random-features.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { counted, IS_LONG } from '../../../doubles/tier.ts'

const FEATURES = [5, 10, 20, 30, 38, 40, 42, 50, 80, 160, 400]
const { signal } = new AbortController()
const trial = (features: number, seed: number, own: Record<string, number> = {}) =>
  randomFeatures.run(randomFeatures.config.parse({ ...own, features }), seed, signal)
const errors = async (features: number, seeds: number) =>
  Promise.all(
    Array.from({ length: seeds }, async (_, seed) => (await trial(features, seed)).testError),
  )
const median = (values: readonly number[]) => {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}

const SEEDS = counted(16, 40)

describe(`${SEEDS} seeds`, () => {
  it('the median test error peaks where features = samples, five times over both quarters', async () => {
    const values = await Promise.all(FEATURES.map((features) => errors(features, SEEDS)))
    const medians = values.map(median)
    const at = (features: number) => medians[FEATURES.indexOf(features)]!
    expect(FEATURES[medians.indexOf(Math.max(...medians))]).toBe(40)
    expect(at(40)).toBeGreaterThan(5 * at(160))
    expect(at(40)).toBeGreaterThan(5 * at(10))
    const finding = testForPeak({ x: FEATURES, values }, { scale: 'log' })
    expect(finding).toMatchObject({ verdict: 'peak', found: { x: 40 } })
    expect(finding.p).toBeLessThan(0.001)
    expect([38, 40]).toContain(finding.found!.lower)
    expect([40, 42]).toContain(finding.found!.upper)
  })

  it('the training error is the noise that is left while features < samples, and none from there on', async () => {
    const all = async (features: number) =>
      Promise.all(Array.from({ length: 20 }, (_, seed) => trial(features, seed)))
    for (const { trainError } of await all(30)) expect(trainError).toBeGreaterThan(1e-3)
    for (const features of [40, 42, 400])
      for (const { trainError } of await all(features)) expect(trainError).toBeLessThan(1e-12)
  })
})

describe('2,000 seeds', () => {
  it.runIf(IS_LONG)('have the medians of docs/methods/double-descent.md', async () => {
    const page = [1.05, 1.14, 1.47, 2.56, 10.7, 55.6, 11.3, 2.79, 0.95, 0.54, 0.4]
    for (const [i, features] of FEATURES.entries()) {
      const share = median(await errors(features, 2000)) / page[i]!
      // Near the peak the distribution is heavy-tailed, and its median is less sharp.
      const room = features >= 38 && features <= 42 ? 0.12 : 0.04
      expect(Math.abs(share - 1), `${features} features`).toBeLessThan(room)
    }
  })
})

describe('the closed form', () => {
  it('is the mean squared error over fresh inputs', () => {
    const [inputs, features, rows] = [4, 6, 200_000]
    const stream = randomStream(3, 'population')
    const normals = (length: number) => Float64Array.from({ length }, () => stream.normal())
    const [β, F, w] = [normals(features), normals(features * inputs), normals(inputs)]
    let [sum, squares] = [0, 0]
    for (let row = 0; row < rows; row++) {
      const x = normals(inputs)
      const product = (v: Float64Array, from: number) =>
        x.reduce((total, value, i) => total + value * v[from + i]!, 0)
      const predicted = β.reduce((t, b, a) => t + b * Math.max(0, product(F, a * inputs)), 0)
      const error = (product(w, 0) - predicted) ** 2
      sum += error
      squares += error ** 2
    }
    const mean = sum / rows
    const standardError = Math.sqrt((squares / rows - mean ** 2) / rows)
    const exact = populationError(β, F, w, inputs)
    expect(Math.abs(mean - exact)).toBeLessThan(4 * standardError)
    expect(standardError).toBeLessThan(0.02 * exact)
  })

  it('nothing predicted leaves ‖w‖², and a feature against its mirror image is linear', () => {
    const w = Float64Array.of(0.6, 0.8)
    expect(populationError(new Float64Array(2), Float64Array.of(1, 0, 0, 1), w, 2)).toBeCloseTo(1)
    // max(0, x) − max(0, −x) = x, which is the target.
    const F = Float64Array.of(0.6, 0.8, -0.6, -0.8)
    expect(populationError(Float64Array.of(1, -1), F, w, 2)).toBeCloseTo(0, 12)
  })
})

describe('a trial', () => {
  it('depends on its parameters and seed alone', async () => {
    expect(await trial(40, 7)).toEqual(await trial(40, 7))
    expect(await trial(40, 7)).not.toEqual(await trial(40, 8))
    expect((await trial(10, 7, { noise: 0 })).trainError).not.toBe((await trial(10, 7)).trainError)
  })

  it('stops where it is told to, and takes no nonsense', async () => {
    const config = randomFeatures.config.parse({})
    await expect(randomFeatures.run(config, 0, AbortSignal.abort('stop'))).rejects.toBe('stop')
    for (const wrong of [{ features: 0 }, { features: 1.5 }, { noise: NaN }, { samples: 1e9 }])
      expect(randomFeatures.config.safeParse(wrong).success).toBe(false)
  })
})
