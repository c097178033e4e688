/** @file The network on iris: its split, what a trial records, and double descent over width under label noise. */
import { describe, expect, it } from 'vitest'
import { irisMlp, irisSplit } from '../../../../evals/sweeps/testbeds/iris-mlp.ts'

const { signal } = new AbortController()
const trial = (own: Record<string, number>, seed: number) =>
  irisMlp.run(irisMlp.config.parse(own), seed, signal)
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length

describe('the split', () => {
  it('has 150 rows once each, trains on standardised ones, tests on clean labels', () => {
    const { train, test } = irisSplit({ samples: 75, labelNoise: 0.2 }, 0)
    expect([train.x.length, test.x.length]).toEqual([300, 300])
    const clean = irisSplit({ samples: 75, labelNoise: 0 }, 0)
    const counts = [0, 1, 2].map(
      (label) => [...clean.train.labels, ...clean.test.labels].filter((l) => l === label).length,
    )
    expect(counts).toEqual([50, 50, 50])
    expect(test).toEqual(clean.test)
    expect(train.x).toEqual(clean.train.x)
    const wrong = train.labels.filter((label, i) => label !== clean.train.labels[i]).length
    expect(Math.abs(wrong - 15)).toBeLessThan(4 * Math.sqrt(75 * 0.2 * 0.8))
    for (let i = 0; i < 4; i++) {
      const column = [...train.x].filter((_, at) => at % 4 === i)
      expect(mean(column)).toBeCloseTo(0, 9)
      expect(mean(column.map((value) => value ** 2))).toBeCloseTo(1, 9)
    }
  })

  it('gives a larger set the rows of the smaller one', () => {
    const few = irisSplit({ samples: 20, labelNoise: 0.1 }, 3).train.labels
    const more = irisSplit({ samples: 60, labelNoise: 0.1 }, 3).train.labels
    expect(more.slice(0, 20)).toEqual(few)
  })
})

describe('a trial', () => {
  it('learns clean iris, and records what §3.4 asks for', async () => {
    const { trainError, testError, metrics, curve } = await trial({ width: 16, epochs: 400 }, 0)
    expect(trainError).toBeLessThan(0.05)
    expect(testError).toBeLessThan(0.15)
    expect(metrics!['best-test-error']).toBeLessThanOrEqual(testError)
    expect(metrics).toMatchObject({ parameters: 8 * 16 + 3 })
    expect(metrics!['gradient-norm']).toBeGreaterThan(0)
    const epochs = curve!.filter(({ name }) => name === 'test-error').map(({ x }) => x)
    expect([epochs[0], epochs.at(-1)]).toEqual([1, 400])
    expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b))
    const last = curve!.filter(({ x }) => x === 400)
    expect(last.find(({ name }) => name === 'test-error')!.value).toBe(testError)
    const numbers = [trainError, testError, ...Object.values(metrics!)]
    expect([...numbers, ...curve!.map(({ value }) => value)].every(Number.isFinite)).toBe(true)
  })

  it('depends on its parameters and seed alone', async () => {
    const own = { width: 4, epochs: 60, labelNoise: 0.1 }
    expect(await trial(own, 5)).toEqual(await trial(own, 5))
    expect(await trial(own, 5)).not.toEqual(await trial(own, 6))
  })

  it('is sharper where it has just fitted its wrong labels than where it has room', async () => {
    const seeds = Array.from({ length: 5 }, (_, seed) => seed)
    const sharpness = async (width: number) =>
      mean(
        await Promise.all(
          seeds.map(async (seed) => {
            const { metrics } = await trial({ width, labelNoise: 0.2, epochs: 1000 }, seed)
            return metrics!['sharpness']!
          }),
        ),
      )
    expect(await sharpness(8)).toBeGreaterThan(2 * (await sharpness(64)))
  })

  it('stops where it is told to, in the middle too', async () => {
    const config = irisMlp.config.parse({ epochs: 100_000 })
    await expect(irisMlp.run(config, 0, AbortSignal.abort('stop'))).rejects.toBe('stop')
    const controller = new AbortController()
    setTimeout(() => controller.abort('later'), 30)
    await expect(irisMlp.run(config, 0, controller.signal)).rejects.toBe('later')
  })

  it('takes no nonsense', () => {
    for (const wrong of [{ width: 0 }, { labelNoise: 1.1 }, { samples: 150 }, { epochs: 0.5 }])
      expect(irisMlp.config.safeParse(wrong).success).toBe(false)
  })
})

describe('label noise of a fifth', () => {
  it('is learnt by a wide network at the cost of its test error, which the best epoch hides', async () => {
    const seeds = Array.from({ length: 10 }, (_, seed) => seed)
    const means = async (width: number) => {
      const all = await Promise.all(seeds.map((seed) => trial({ width, labelNoise: 0.2 }, seed)))
      return {
        train: mean(all.map(({ trainError }) => trainError)),
        final: mean(all.map(({ testError }) => testError)),
        best: mean(all.map(({ metrics }) => metrics!['best-test-error']!)),
      }
    }
    const [narrow, wide] = [await means(2), await means(32)]
    expect(narrow.train).toBeGreaterThan(0.15)
    expect(wide.train).toBeLessThan(0.05)
    expect(wide.final).toBeGreaterThan(1.5 * narrow.final)
    expect(wide.best).toBeLessThan(1.25 * narrow.best)
  })
})
