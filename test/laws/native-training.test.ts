/** @file The law of resident training: the addon's sessions and optimiser end in the bits of onnxruntime-node and TypeScript. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createGraph } from '../../evals/graph/ops/index.ts'
import { load } from '../../evals/native/load.ts'
import { openResident } from '../../evals/runtime/resident-session.ts'
import { createRunner } from '../../evals/runtime/session.ts'
import type * as TinyTraining from '../doubles/training/tiny-training.ts'

const found = load()
const title = found.addon
  ? 'resident training'
  : `resident training (skipped: ${found.why}; npm run build:native, which needs a C++ compiler)`

/** The training loop as it is loaded where the addon is switched on or off. */
async function trainingWith(state: 'on' | 'off'): Promise<typeof TinyTraining> {
  vi.stubEnv('TOUCHSTONE_NATIVE', state)
  vi.resetModules()
  const { load: loadAgain } = await import('../../evals/native/load.ts')
  expect(loadAgain().addon !== undefined).toBe(state === 'on')
  return import('../doubles/training/tiny-training.ts')
}

describe.skipIf(!found.addon)(title, () => {
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.resetModules()
  })

  test.each([
    ['full', 1, {}],
    ['full', 2, {}],
    ['full', 2, { gradientAccumulationSteps: 2, batchSize: 2 }],
    ['lora', 2, {}],
    ['ggpo', 1, {}],
  ])('%s on %i threads, %j: losses, norms and state are the same bits', async (...asked) => {
    const [method, threads, config] = asked
    const runs = []
    for (const state of ['on', 'off', 'on'] as const) {
      const { trainTiny } = await trainingWith(state)
      const { digest, reports } = await trainTiny({ method, threads, config })
      runs.push({ digest, reports })
    }
    expect(runs[1]).toEqual(runs[0])
    expect(runs[2]).toEqual(runs[0])
  })

  test('a signal ends it between two steps, and the session can go on', async () => {
    const { openTiny } = await trainingWith('on')
    const { session, fresh, run } = await openTiny({ method: 'full' })
    const controller = new AbortController()
    await run(fresh, 2)
    controller.abort()
    await expect(run(fresh, 4, controller.signal)).rejects.toThrow('abort')
    expect(fresh.step).toBe(2)
    await run(fresh, 3)
    expect(fresh.step).toBe(3)
    await session.release()
  })
})

describe.skipIf(!found.addon)(`a session of ${title}`, () => {
  const device = { name: 'cpu', threads: 1 } as const
  const n = 700
  const square = (length: number) => ({
    data: Float32Array.from({ length: length * length }, (_, i) => (i % 7) - 3),
    dims: [length, length],
  })

  async function opened() {
    const g = createGraph()
    const x = g.input('x', 'float32', ['n', 'n'])
    return createRunner(g, { y: g.matMul(x, x), twice: g.add(x, x) }, { device, purpose: 'train' })
  }

  test('writes where it is told, gives the rest anew, and lets the event loop turn', async () => {
    const runner = await opened()
    const target = square(n)
    let turns = 0
    const counting = setInterval(() => turns++, 1)
    const running = runner.run({ x: square(n) }, { y: target })
    const memory = new WeakRef(target)
    await sleep(1)
    const { y, twice } = await running
    clearInterval(counting)
    expect(turns).toBeGreaterThan(0)
    expect(memory.deref()).toBe(target)
    expect(y!.data).toBe(target.data)
    const [x, sum] = [square(n).data, twice!.data as Float32Array]
    expect(sum).toEqual(x.map((value) => 2 * value))
    const first = x.subarray(0, n).reduce((total, value, t) => total + value * x[t * n]!, 0)
    expect(target.data[0]).toBe(first)
    await runner.release()
  })

  test('refuses memory of another shape, in ONNX Runtime’s words', async () => {
    const runner = await opened()
    const flat = { data: new Float32Array(9), dims: [1, 9] }
    await expect(runner.run({ x: square(3) }, { y: flat })).rejects.toThrow(/^internal: ONNX/)
    await runner.release()
  })

  test('refuses what is no model, and what was released', async () => {
    const addon = found.addon!
    const broken = Uint8Array.of(8, 10, 58, 255, 255)
    const settings = {
      threads: 1,
      optimised: false,
      arena: true,
      folder: '',
      weights: [],
      provider: null,
    }
    await expect(openResident(addon, broken, settings)).rejects.toThrow(/./)
    const runner = await opened()
    await runner.release()
    await expect(runner.run({ x: square(2) })).rejects.toThrow('released')
  })
})
