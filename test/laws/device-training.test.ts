/** @file The law of training in a device's memory: the CPU's numbers, and nothing comes back but when it is asked for. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import {
  loadTrainingState,
  saveTrainingState,
  type TrainingState,
} from '../../evals/finetune/training/state.ts'
import { bindMethod, METHODS } from '../../evals/finetune/registry.ts'
import { staysOnDevice } from '../../evals/finetune/training/train-graph.ts'
import { encode } from '../../evals/graph/encode.ts'
import { PORTABLE } from '../../evals/graph/op.ts'
import { createGraph } from '../../evals/graph/ops/index.ts'
import { load } from '../../evals/native/load.ts'
import { probeProviders } from '../../evals/runtime/device.ts'
import { translateOrtError } from '../../evals/runtime/ort-errors.ts'
import { PROVIDERS } from '../../evals/runtime/providers.ts'
import { free } from '../../evals/runtime/resident-memory.ts'
import { openResident } from '../../evals/runtime/resident-session.ts'
import { createRunner } from '../../evals/runtime/session.ts'
import { relativeError } from '../doubles/models/safetensors.ts'
import { tinyExperts } from '../doubles/models/tiny-adapter.ts'
import { tinyModel } from '../doubles/models/tiny-model.ts'
import {
  digestOf,
  openTiny,
  trainTiny,
  type TinyTraining,
} from '../doubles/training/tiny-training.ts'
import { hasWebGpu, onWebGpu, webGpu } from '../doubles/graph/webgpu.ts'

const { addon, ...missing } = load()
const isHere = hasWebGpu && addon !== undefined
const title =
  'why' in missing
    ? `in a device’s memory (skipped: ${missing.why}; npm run build:native, which needs a C++ compiler)`
    : onWebGpu('in a device’s memory')

const folder = mkdtempSync(join(tmpdir(), 'touchstone-device-'))
afterAll(() => rmSync(folder, { recursive: true }))

const PLAIN = { threads: 1, optimised: false, arena: true, folder: '', weights: [] }

/** A graph of one input, for its memory. */
async function opened() {
  const g = createGraph(PORTABLE)
  const x = g.input('x', 'float32', ['n'])
  const runner = await createRunner(g, { y: g.add(x, x) }, { device: webGpu, purpose: 'train' })
  return { runner, memory: runner.memory! }
}

/** Another session beside it, of which tensors of any size can be asked. */
async function allocating() {
  const { runner, memory } = await opened()
  const g = createGraph(PORTABLE)
  const { bytes } = encode(g, { y: g.input('x', 'float32', [1]) })
  const session = await openResident(addon!, bytes, { ...PLAIN, provider: PROVIDERS.webgpu })
  return { runner, memory, session }
}

const bitsOf = ({ buffer, byteOffset, length }: Float32Array) =>
  new Uint32Array(buffer, byteOffset, length)

describe.skipIf(!isHere)(`tensors ${title}`, () => {
  const counted = (...dims: number[]) => {
    const length = dims.reduce((product, size) => product * size, 1)
    return { data: Float32Array.from({ length }, (_, i) => i / 7 - 3), dims }
  }
  const emptied = (tensors: Readonly<Record<string, { dims: readonly number[] }>>) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, { dims }]) => [
        name,
        { data: new Float32Array(dims.reduce((product, size) => product * size, 1)), dims },
      ]),
    )

  test('come back bit for bit: a number, a matrix, and more than goes there at once', async () => {
    const { runner, memory } = await opened()
    const host = {
      one: counted(),
      two: counted(3, 5),
      large: counted(2 ** 24 + 3),
      last: counted(4),
    }
    host.two.data.set([-0, Infinity, -1e-45, 3e38])
    const there = await memory.place(host)
    const back = emptied(host)
    await memory.read(there, back)
    for (const [name, { data }] of Object.entries(host))
      expect(bitsOf(back[name]!.data), name).toEqual(bitsOf(data))
    free(there)
    await runner.release()
  })

  test('are overwritten where they lie, and outlive the session that they were made for', async () => {
    const [{ runner, memory }, other] = [await opened(), await opened()]
    const there = await memory.place({ x: counted(4) })
    await memory.write(there, { x: { data: Float32Array.of(1, 2, 3, 4), dims: [4] } })
    await runner.release()
    const { y } = await other.runner.run(there)
    expect(y!.data).toEqual(Float32Array.of(2, 4, 6, 8))
    free(there)
    await expect(other.runner.run(there)).rejects.toThrow('released')
    await other.runner.release()
  })

  test('that the device has no room for are an error, though WebGPU itself says yes; then it goes on', async () => {
    const { runner, memory, session } = await allocating()
    for (const length of [2 ** 31, 2 ** 60]) {
      const failed = await session.allocate([length]).catch((error: unknown) => error)
      expect(translateOrtError(failed, { device: 'webgpu', batchSize: 2 })).toMatchObject({
        code: 'device.out-of-memory',
      })
    }
    // Said by a tensor that is not looked into.
    const vast = { data: new Float32Array(0), dims: [2 ** 60] }
    await expect(memory.place({ vast })).rejects.toMatchObject({ code: 'device.out-of-memory' })
    free({ x: await session.allocate([4]) })
    const x = counted(4)
    expect((await runner.run({ x })).y!.data).toEqual(x.data.map((value) => value + value))
    await session.release()
    await runner.release()
  })

  test('are given back: 50 sessions with 16 MiB each leave no more than they found', async () => {
    const host = { x: counted(2 ** 21), y: counted(2 ** 21) }
    const once = async () => {
      const { runner, memory } = await opened()
      const there = await memory.place(host)
      expect(await runner.run(there, { y: there.y! })).toEqual({})
      free(there)
      await runner.release()
    }
    const many = async (count: number) => {
      for (let i = 0; i < count; i++) await once()
      return process.memoryUsage.rss()
    }
    const before = await many(10)
    const grown = ((await many(50)) - before) / 2 ** 20
    // Kept, they would be 800.
    expect(grown).toBeLessThan(160)
  })
})

/** Their steps look at numbers that the host has. */
const ON_HOST: ReadonlySet<string> = new Set(['ggpo', 'mgpo', 'ba-lora', 'lora-prune'])

/** What a method needs beside a rank. */
const NEEDED: Readonly<Record<string, object>> = {
  'x-lora': { adapters: await tinyExperts(tinyModel().model, 3), rank: 3 },
}

const PLANS: readonly Partial<TinyTraining>[] = [
  ...METHODS.map(({ name: method }) => ({
    method,
    methodConfig: method === 'full' ? {} : { rank: 2, ...NEEDED[method] },
    // At a larger rate LoRA+ alone makes ten times as much of the same rounding.
    config: { learningRate: 2e-3 },
  })),
  { method: 'full', config: { gradientAccumulationSteps: 3, batchSize: 2 } },
  { method: 'lora', config: { packing: true, checkpointing: true } },
  { method: 'full', config: { maxGradientNorm: 0, weightDecay: 0.1, schedule: 'linear' } },
]
const planned = PLANS.map(
  (plan) => [`${plan.method}, ${JSON.stringify(plan.config ?? {})}`, plan] as const,
)
const on = { device: 'webgpu' } as const

describe.skipIf(!isHere)(`training ${title}`, () => {
  test.each(planned)('%s: the CPU’s losses, norms, parameters and moments', async (_, plan) => {
    const cpu = await trainTiny(plan)
    const { session, fresh: state, run } = await openTiny({ ...plan, ...on })
    expect(session.resident === undefined).toBe(ON_HOST.has(plan.method!))
    const found = { reports: await run(state), state }
    await session.release()
    const error = (of: (ran: typeof found) => ArrayLike<number>) =>
      relativeError(of(found), of(cpu))
    expect(error(({ reports }) => reports.map(({ loss }) => loss))).toBeLessThan(1e-5)
    expect(error(({ reports }) => reports.map((each) => each.gradientNorm))).toBeLessThan(5e-4)
    expect(error((ran) => ran.state.parameters)).toBeLessThan(2e-5)
    expect(error((ran) => ran.state.firstMoment)).toBeLessThan(2e-4)
    expect(error((ran) => ran.state.secondMoment)).toBeLessThan(2e-4)
    expect(state.step).toBe(cpu.state.step)
    expect(digestOf(state)).not.toBe(cpu.digest)
  })

  test('BA-LoRA stays there where it does not look at singular values', () => {
    const stays = (config: Record<string, unknown>) =>
      staysOnDevice(bindMethod({ name: 'ba-lora', config }))
    expect([stays({}), stays({ concentration: 0 })]).toEqual([false, true])
  })

  test('a fixed tensor stays what it was, bit for bit', async () => {
    const { session, fresh, run } = await openTiny({ method: 'lora-fa', ...on })
    const before = fresh.parameters.slice()
    await run(fresh)
    for (const { start, end, learningRateScale } of session.table.slices) {
      const [was, is] = [before, fresh.parameters].map((flat) => bitsOf(flat.subarray(start, end)))
      if (learningRateScale === 0) expect(is).toEqual(was)
      else expect(is).not.toEqual(was)
    }
    await session.release()
  })

  test('the host’s numbers are old until somebody asks for them; then they are this step’s', async () => {
    const three = await trainTiny({ ...on }, { until: 3 })
    const { session, fresh, run } = await openTiny({ ...on })
    const begun = fresh.parameters.slice()
    const seen: TrainingState[] = []
    await run(fresh, 4, undefined, async (state) => {
      if (state.step < 3) expect(state.parameters).toEqual(begun)
      if (state.step !== 3) return
      await state.deviceResident!.syncToHost()
      const { parameters, firstMoment, secondMoment, memory, step } = state
      seen.push(structuredClone({ parameters, firstMoment, secondMoment, memory, step }))
    })
    expect(seen.map(digestOf)).toEqual([three.digest])
    await session.release()
  })

  test.each([
    ['lora', {}],
    // Embeddings' gradients are added up by whichever thread comes first.
    ['full', { trainEmbeddings: false }],
  ])('%s that was saved on the way and resumed ends in the same bits', async (...asked) => {
    const [method, methodConfig] = asked
    const plan = { method, methodConfig }
    const path = join(folder, `${method}.safetensors`)
    const whole = await trainTiny({ ...plan, ...on })
    const { session, fresh, run } = await openTiny({ ...plan, ...on })
    const identity = { run: 'tiny', seed: '5' }
    await run(fresh, 4, undefined, async (state) => {
      if (state.step === 3) await saveTrainingState(path, state, identity)
    })
    await session.release()
    expect((await loadTrainingState(path, identity)).step).toBe(3)
    const resumed = await trainTiny({ ...plan, ...on }, { from: path })
    expect(resumed.digest).toBe(whole.digest)
    expect(resumed.reports).toEqual(whole.reports.slice(3))
    const onCpu = await trainTiny(plan, { from: path })
    expect(relativeError(onCpu.state.parameters, whole.state.parameters)).toBeLessThan(2e-5)
  })

  test('a run that is stopped leaves this step’s numbers on the host, and goes on', async () => {
    const [two, three] = [
      await trainTiny({ ...on }, { until: 2 }),
      await trainTiny({ ...on }, { until: 3 }),
    ]
    const { session, fresh, run } = await openTiny({ ...on })
    const controller = new AbortController()
    const stopping = run(fresh, 6, controller.signal, async ({ step }) => {
      if (step === 2) controller.abort()
    })
    await expect(stopping).rejects.toThrow('abort')
    expect(digestOf(fresh)).toBe(two.digest)
    await run(fresh, 3)
    expect(digestOf(fresh)).toBe(three.digest)
    await session.release()
  })
})

const [cuda] = await probeProviders(['cuda'])

describe.skipIf(!addon)(`a session that does not open ${title}`, () => {
  const provider = (name: string, memory = 'WebGPU_Buffer') => ({ name, memory, options: [] })
  const broken = Uint8Array.of(8, 10, 58, 255, 255)

  test('names a provider that ONNX Runtime does not have, with what to do', async () => {
    const opening = openResident(addon!, broken, { ...PLAIN, provider: provider('Abacus') })
    const refused = await opening.catch((error: unknown) => error)
    expect(translateOrtError(refused, { device: 'webgpu', batchSize: 1 })).toMatchObject({
      code: 'device.unusable',
      message: expect.stringContaining('Abacus') as string,
      remedy: expect.stringContaining('touchstone doctor --device webgpu --parity') as string,
    })
  })

  test.skipIf(cuda!.usable)('names the library that CUDA lacks', async () => {
    const g = createGraph(PORTABLE)
    const device = { name: 'cuda', threads: 1 } as const
    const opening = createRunner(
      g,
      { y: g.input('x', 'float32', [1]) },
      { device, purpose: 'train' },
    )
    await expect(opening).rejects.toMatchObject({
      code: 'device.unusable',
      message: expect.stringMatching(/: the library libonnxruntime\S+ is missing\.$/u) as string,
    })
  })

  test.skipIf(!hasWebGpu)(
    'refuses what is no model, and memory that the device has not',
    async () => {
      const model = openResident(addon!, broken, { ...PLAIN, provider: provider('WebGPU') })
      await expect(model).rejects.toThrow(/protobuf/iu)
      const g = createGraph(PORTABLE)
      const { bytes } = encode(g, { y: g.input('x', 'float32', [1]) })
      const memory = openResident(addon!, bytes, {
        ...PLAIN,
        provider: provider('WebGPU', 'Cuda'),
      })
      await expect(memory).rejects.toThrow('allocator')
    },
  )

  test('has no memory but the host’s where it is the processor’s', async () => {
    const g = createGraph(PORTABLE)
    const { bytes } = encode(g, { y: g.input('x', 'float32', [1]) })
    const session = await openResident(addon!, bytes, { ...PLAIN, provider: null })
    await expect(session.allocate([1])).rejects.toThrow('no memory but the host')
    await session.release()
    await expect(session.allocate([1])).rejects.toThrow('released')
  })
})
