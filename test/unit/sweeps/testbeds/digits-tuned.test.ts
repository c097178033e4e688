/** @file Fine-tuning methods on the frozen digit reader: its rows, what a trial records, and the start that every method shares. */
import { describe, expect, it } from 'vitest'
import { digitsTuned } from '../../../../evals/sweeps/testbeds/tuned/digits-tuned.ts'
import { tunedSplit } from '../../../../evals/sweeps/testbeds/tuned/rows.ts'

const { signal } = new AbortController()
const trial = (own: object, seed = 0) =>
  digitsTuned.run(digitsTuned.config.parse({ width: 16, steps: 60, ...own }), seed, signal)

describe('the rows', () => {
  const few = tunedSplit({ samples: 40, labelNoise: 0.5 }, 0)
  const many = tunedSplit({ samples: 397, labelNoise: 0 }, 0)

  it('of base, fine-tune and test are different digits, nested in their number', () => {
    const rowsOf = ({ tokens, batch }: typeof few.base) =>
      Array.from({ length: batch }, (_, row) => tokens.slice(row * 64, (row + 1) * 64).join())
    const all = [many.base, many.training, many.test].flatMap(rowsOf)
    // Some of 1,797 pictures may be alike; a shared part would repeat hundreds.
    expect(new Set(all).size).toBeGreaterThan(1780)
    expect(rowsOf(few.training)).toEqual(rowsOf(many.training).slice(0, 40))
    expect([few.base.tokens, few.test.tokens]).toEqual([many.base.tokens, many.test.tokens])
  })

  it('have wrong labels where they are trained on, and nowhere else', () => {
    const clean = tunedSplit({ samples: 40, labelNoise: 0 }, 0)
    const wrong = few.training.labels.filter((label, row) => label !== clean.training.labels[row])
    // Four standard deviations of Bin(40, ½).
    expect(Math.abs(wrong.length - 20)).toBeLessThan(4 * Math.sqrt(10))
    expect([few.base.labels, few.test.labels]).toEqual([clean.base.labels, clean.test.labels])
  })
})

describe('a trial', () => {
  it('records errors on the way, and sharpness and spectrum at the end', async () => {
    const { trainError, testError, metrics, curve } = await trial({ methodConfig: { rank: 2 } })
    expect(testError).toBeLessThan(0.5)
    expect(metrics!['best-test-error']).toBeLessThanOrEqual(testError)
    expect(metrics!['largest-eigenvalue']).toBeGreaterThan(0)
    expect(metrics!['hessian-trace']).toBeGreaterThan(metrics!['largest-eigenvalue']! / 2)
    expect(metrics!['effective-rank']).toBeLessThanOrEqual(2.001)
    expect(curve!.filter(({ name }) => name === 'train-error').at(-1)!.value).toBe(trainError)
    const numbers = [...Object.values(metrics!), ...curve!.map(({ value }) => value)]
    expect(numbers.every(Number.isFinite)).toBe(true)
  })

  it('depends on its parameters and seed alone, also where the base was kept', async () => {
    const first = await trial({ methodConfig: { rank: 2 } }, 3)
    await trial({ methodConfig: { rank: 1 } }, 4)
    expect(await trial({ methodConfig: { rank: 2 } }, 3)).toEqual(first)
  })

  it('a method without its perturbation is LoRA to the bit, and weight decay is not', async () => {
    const lora = await trial({ method: 'lora', methodConfig: { rank: 2 } })
    expect(await trial({ method: 'ggpo', methodConfig: { rank: 2, sigma: 0 } })).toEqual(lora)
    expect(await trial({ method: 'mgpo', methodConfig: { rank: 2, rho: 0 } })).toEqual(lora)
    const decayed = await trial({ methodConfig: { rank: 2 }, weightDecay: 3 })
    expect(decayed.metrics!['parameter-norm']).not.toBe(lora.metrics!['parameter-norm'])
  })

  it('learns the wrong labels with a high rank and not with a low one', async () => {
    const own = { width: 32, steps: 200, samples: 60, learningRate: 0.01 }
    const low = await trial({ ...own, methodConfig: { rank: 1, alpha: 2 } })
    const high = await trial({ ...own, methodConfig: { rank: 16, alpha: 32 } })
    expect(high.trainError).toBeLessThan(0.02)
    expect(low.trainError).toBeGreaterThan(high.trainError + 0.05)
    expect(high.testError).toBeGreaterThan(low.testError)
  })

  it('stops where it is told to', async () => {
    const config = digitsTuned.config.parse({ steps: 100_000 })
    const controller = new AbortController()
    setTimeout(() => controller.abort('later'), 30)
    await expect(digitsTuned.run(config, 0, controller.signal)).rejects.toBe('later')
  })
})
