/** @file The training loop: the same bits every time, killed or not; accumulation; and steps that are not finite. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TrainingConfig } from '../../../../evals/finetune/training/train.ts'
import { loadTrainingState, saveTrainingState } from '../../../../evals/finetune/training/state.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import {
  digestOf,
  openTiny,
  TINY_STEPS,
  trainTiny,
} from '../../../doubles/training/tiny-training.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-train-'))
})
afterAll(() => rm(folder, { recursive: true }))

const METHODS = ['lora', 'full']

describe.each(METHODS)('%s', (method) => {
  test('learns: the loss on the same rows falls', async () => {
    const { reports } = await trainTiny({ method, config: { steps: 40, batchSize: 11 } })
    expect(reports.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    expect(reports.at(-1)!.loss).toBeLessThan(0.7 * reports[0]!.loss)
  })

  test('ends in the same bits in two processes, with one thread and with two', async () => {
    const child = join(import.meta.dirname, 'train-child.ts')
    for (const threads of [1, 2]) {
      const here = await trainTiny({ method, threads })
      const { stdout } = await promisify(execFile)(process.execPath, [
        child,
        method,
        String(threads),
      ])
      expect(stdout).toBe(here.digest)
    }
  })

  test('killed after any step and gone on with in a new session, it ends in the same bits', async () => {
    const whole = await trainTiny({ method })
    for (let k = 0; k < TINY_STEPS; k++) {
      const to = join(folder, `${method}-${k}.safetensors`)
      await trainTiny({ method }, { until: k, to })
      const resumed = await trainTiny({ method }, { from: to })
      expect(resumed.digest, `killed after step ${k}`).toBe(whole.digest)
      expect(resumed.reports).toEqual(whole.reports.slice(k))
    }
  })

  test('another seed ends elsewhere', async () => {
    const digests = [5, 6].map(async (seed) => (await trainTiny({ method, seed })).digest)
    expect(new Set(await Promise.all(digests)).size).toBe(2)
  })
})

test('two micro-batches of four are one batch of eight', async () => {
  for (const method of METHODS) {
    const once = await trainTiny({ method, config: { batchSize: 8 } }, { until: 1 })
    const twice = await trainTiny(
      { method, config: { batchSize: 4, gradientAccumulationSteps: 2 } },
      { until: 1 },
    )
    const [a, b] = [once.reports[0]!, twice.reports[0]!]
    expect(b.tokens).toBe(a.tokens)
    expect(Math.abs(b.loss / a.loss - 1)).toBeLessThan(1e-6)
    expect(Math.abs(b.gradientNorm / a.gradientNorm - 1)).toBeLessThan(1e-6)
    // After one step the first moment is the clipped gradient times 1 − β1.
    expect(relativeError(twice.state.firstMoment, once.state.firstMoment)).toBeLessThan(1e-6)
  }
})

test('the first step of a warm-up has rate 0 and the decay spares vectors', async () => {
  const { session, fresh, run } = await openTiny({ method: 'full', config: { warmupSteps: 2 } })
  const before = fresh.parameters.slice()
  const [first] = await run(fresh, 1)
  expect(first!.learningRate).toBe(0)
  expect(fresh.parameters).toEqual(before)
  await session.release()
})

describe('a step that is not finite', () => {
  const withWeight = (value: number) => {
    const tiny = tinyModel()
    tiny.weights.get('model.layers.1.mlp.up_proj.weight')![3] = value
    return tiny
  }

  test.each([Infinity, NaN])('a weight of %f stops at step 1, by name', async (value) => {
    const { session, fresh, run } = await openTiny({ tiny: withWeight(value) })
    const before = digestOf(fresh)
    await expect(run(fresh)).rejects.toMatchObject({
      code: 'training.not-finite',
      message: expect.stringContaining('step 1:') as string,
      remedy: expect.stringContaining('the-last-good.safetensors') as string,
    })
    expect(digestOf(fresh)).toBe(before)
    await session.release()
  })

  test.each(METHODS)(
    '%s: a rate of 1e30 stops later, and what was saved before still loads',
    async (method) => {
      const path = join(folder, `${method}-good.safetensors`)
      const { session, fresh, run } = await openTiny({
        method,
        config: { learningRate: 1e30, warmupSteps: 3 },
      })
      // The warm-up begins at rate 0, so one step is good.
      const good = await run(fresh, 1)
      expect(Number.isFinite(good[0]!.loss)).toBe(true)
      await saveTrainingState(path, fresh, { run: 'this' })
      const saved = digestOf(fresh)
      await expect(run(fresh)).rejects.toMatchObject({
        code: 'training.not-finite',
        message: expect.stringMatching(/step [3-6]: the (loss|gradient) is not/) as string,
      })
      const loaded = await loadTrainingState(path, { run: 'this' })
      expect(digestOf(loaded)).toBe(saved)
      expect(loaded.step).toBe(1)
      expect(loaded.parameters.every(Number.isFinite)).toBe(true)
      await session.release()
    },
  )
})

test('an abort stops between two steps and leaves a state that can be gone on with', async () => {
  const whole = await trainTiny({})
  const { session, fresh, run } = await openTiny({})
  const controller = new AbortController()
  const gradients = session.gradients.bind(session)
  let steps = 0
  Object.assign(session, {
    gradients: (...args: Parameters<typeof gradients>) => {
      if (++steps === 3) controller.abort(new Error('stopped by the user'))
      return gradients(...args)
    },
  })
  await expect(run(fresh, undefined, controller.signal)).rejects.toThrow('stopped by the user')
  expect(fresh.step).toBe(3)
  await run(fresh)
  expect(digestOf(fresh)).toBe(whole.digest)
  await session.release()
})

describe('the configuration', () => {
  test('parses its defaults and survives JSON', () => {
    const parsed = TrainingConfig.parse({})
    expect(TrainingConfig.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed)
  })

  test.each([
    { steps: 0 },
    { steps: 1.5 },
    { batchSize: 0 },
    { learningRate: 0 },
    { learningRate: 1e10 },
    { learningRate: Infinity },
    { warmupSteps: -1 },
    { maxGradientNorm: NaN },
    { beta1: 1 },
    { epsilon: 0 },
    { maxTokens: 1 },
    { schedule: 'sawtooth' },
  ])('refuses %j', (config) => expect(TrainingConfig.safeParse(config).success).toBe(false))
})
