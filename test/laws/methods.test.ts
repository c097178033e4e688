/**
 * @file The laws of fine-tuning methods (methods.md §5, G1 to G4): exact gradients, forward = merged forward, merging and
 * unmerging, saving and loading; and the start, the configuration, and parameter counts.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { AnyMethod } from '../../evals/finetune/method.ts'
import { lora } from '../../evals/finetune/lora.ts'
import { isTrained, namedViews, parameterTable } from '../../evals/finetune/parameters.ts'
import { METHODS } from '../../evals/finetune/registry.ts'
import { loadTrainingState, saveTrainingState } from '../../evals/finetune/state.ts'
import { newOptimizerState } from '../../evals/finetune/train.ts'
import { openTraining } from '../../evals/finetune/train-graph.ts'
import { gradients } from '../../evals/graph/gradient.ts'
import { CPU, FLOAT64, type Dialect } from '../../evals/graph/op.ts'
import { createGraph, type Graph } from '../../evals/graph/ops/index.ts'
import type { Value } from '../../evals/graph/value.ts'
import { openCached } from '../../evals/inference/cached-graph.ts'
import { scoreTexts } from '../../evals/inference/score.ts'
import { readPeftFolder, writePeftFolder } from '../../evals/models/peft-folder.ts'
import { recognise } from '../../evals/models/registry.ts'
import { createScope, type Adapter, type LinearSite } from '../../evals/models/scope.ts'
import { adaptedWeights } from '../../evals/models/tuned-weights.ts'
import { createRunner, type Tensor } from '../../evals/runtime/session.ts'
import { randomStream } from '../../evals/statistics/random.ts'
import { relativeError } from '../doubles/safetensors.ts'
import { indexOf, randomIds, tinyConfig, tinyModel, tinyShapes } from '../doubles/tiny-model.ts'

const device = { name: 'cpu', threads: 1 } as const
const OUT = 5
const IN = 4
const ROWS = 3

/** A method's configurations to try: its defaults, and awkward ones (a scale that float32 rounds). */
const CONFIGS: Readonly<Record<string, readonly object[]>> = {
  lora: [{}, { rank: 3, alpha: 16 }, { rank: 1, alpha: 0.7 }],
  rslora: [{}, { rank: 3, alpha: 16 }],
  'lora-plus': [{}, { rank: 3, rateRatio: 2 }],
  'lora-fa': [{}, { rank: 3, alpha: 16 }],
  dora: [{}, { rank: 3, alpha: 16 }],
  pissa: [{}, { rank: 3, alpha: 16 }],
  olora: [{}, { rank: 3, alpha: 16 }],
  full: [{}, { trainEmbeddings: false }],
}

const cases = METHODS.flatMap((method) =>
  (CONFIGS[method.name] ?? []).map(
    (config) => [`${method.name} ${JSON.stringify(config)}`, method, config] as const,
  ),
)

test('every method has configurations to try', () => {
  for (const { name } of METHODS) expect(CONFIGS[name], name).toBeDefined()
})

/** Runs `build` over one adapted layer with generic numbers in every parameter. */
async function onOneLayer(
  dialect: Dialect,
  method: AnyMethod,
  config: unknown,
  build: (g: Graph, adapter: Adapter, x: Value, site: LinearSite) => Record<string, Value>,
  held?: Readonly<Record<string, Tensor>>,
) {
  const core = createGraph(dialect)
  const constants: Value[] = []
  // What a gradient takes for a constant is read here, or fed as it was found before.
  const constantOf = (x: Value) => {
    const name = `held ${constants.length}`
    constants.push(held ? core.input(name, x.dtype, x.shape) : core.constantOf(x))
    return constants.at(-1)!
  }
  const g = { ...core, constantOf }
  const weight = g.input('W', g.float, [OUT, IN])
  const x = g.input('x', g.float, [ROWS, IN])
  const site = {
    name: 'model.layers.0.self_attn.q_proj',
    module: 'q_proj',
    layer: 0,
    weight,
    inFeatures: IN,
    outFeatures: OUT,
  }
  const adapter = method.attach!(g, site, config, undefined)!
  const outputs = build(g, adapter, x, site)
  if (!held) constants.forEach((value, i) => (outputs[`held ${i}`] = value))
  const runner = await createRunner(g, outputs, { device, purpose: 'train' })
  const tensor = (label: string, dims: readonly number[]): Tensor => {
    const stream = randomStream(21, label)
    const length = dims.reduce((a, b) => a * b, 1)
    const data = Float64Array.from({ length }, () => stream.normal())
    return { data: dialect.float === 'float64' ? data : Float32Array.from(data), dims }
  }
  const feeds: Record<string, Tensor> = {
    W: tensor('W', [OUT, IN]),
    x: tensor('x', [ROWS, IN]),
    ...held,
    ...Object.fromEntries(g.parameters.map(({ name, shape }) => [name, tensor(name, shape)])),
  }
  return { runner, feeds, parameters: g.parameters }
}

const attached = cases.filter(([, method]) => 'attach' in method)

describe.each(attached)('%s: one adapted layer', (_, method, config) => {
  const parsed = method.config.parse(config)
  /** Σ y·c with a fixed generic c, as one scalar loss. */
  const lossOf = (g: Graph, y: Value): Value => {
    const stream = randomStream(22, 'cotangent')
    const c = Array.from({ length: ROWS * OUT }, () => stream.normal())
    return g.reduceSum(g.mul(y, g.constant(c, g.float, [ROWS, OUT])), [0, 1], { keepDims: false })
  }

  test('G1: its gradients are central differences, what it holds constant being held (float64)', async () => {
    const names: string[] = []
    const { runner, feeds } = await onOneLayer(FLOAT64, method, parsed, (g, adapter, x) => {
      const loss = lossOf(g, adapter.forward(x))
      const wrt = [...g.parameters.filter(isTrained).map(({ value }) => value), x]
      names.push(...wrt.map(({ name }) => name))
      const derivatives = gradients(g, loss, wrt)
      return { loss, ...Object.fromEntries(derivatives.map((d, i) => [`d${i}`, d])) }
    })
    const exact = await runner.run(feeds)
    const held = Object.fromEntries(
      Object.entries(exact).filter(([name]) => name.startsWith('held ')),
    )
    const holding = await onOneLayer(
      FLOAT64,
      method,
      parsed,
      (g, adapter, x) => ({ loss: lossOf(g, adapter.forward(x)) }),
      held,
    )
    for (const [i, name] of names.entries()) {
      const { data, dims } = feeds[name]!
      const numeric: number[] = []
      for (let j = 0; j < data.length; j++) {
        const at = async (h: number) => {
          const moved = Float64Array.from(data as Float64Array)
          moved[j]! += h
          return Number(
            (await holding.runner.run({ ...holding.feeds, [name]: { data: moved, dims } })).loss!
              .data[0],
          )
        }
        numeric.push(((await at(1e-5)) - (await at(-1e-5))) / 2e-5)
      }
      expect(relativeError(exact[`d${i}`]!.data as Float64Array, numeric), name).toBeLessThan(1e-6)
      expect(Math.max(...numeric.map(Math.abs)), name).toBeGreaterThan(1e-3)
    }
  })

  if (!method.mergeable) return

  test('G3: forward(x) is x·weight()ᵀ within 1e-10 (float64)', async () => {
    const { runner, feeds } = await onOneLayer(FLOAT64, method, parsed, (g, adapter, x) => ({
      forward: adapter.forward(x),
      merged: g.matMulT(x, adapter.weight()),
      plain: g.matMulT(
        x,
        g.inputs.find(({ name }) => name === 'W')!,
      ),
    }))
    const results = await runner.run(feeds)
    const [forward, merged, plain] = ['forward', 'merged', 'plain'].map(
      (name) => results[name]!.data as Float64Array,
    )
    expect(relativeError(forward!, merged!)).toBeLessThan(1e-10)
    expect(relativeError(forward!, plain!)).toBeGreaterThan(1e-2)
  })

  test('G2: merging and unmerging give back W within 1e-12 (float64)', async () => {
    const { runner, feeds } = await onOneLayer(FLOAT64, method, parsed, (g, adapter) => {
      const W = g.inputs.find(({ name }) => name === 'W')!
      const merged = adapter.weight()
      return { merged, update: g.sub(merged, W) }
    })
    const { merged, update } = await runner.run(feeds)
    const back = (merged!.data as Float64Array).map((w, i) => w - Number(update!.data[i]))
    expect(relativeError(back, feeds.W!.data as Float64Array)).toBeLessThan(1e-12)
  })
})

describe.each(cases)('%s', (_, method, config) => {
  test('its configuration parses its defaults and survives JSON', () => {
    const parsed = method.config.parse(config)
    expect(method.config.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed)
    expect(method.config.parse({})).toEqual(method.config.parse(JSON.parse('{}')))
  })

  test('every field of its configuration says what it is, for forms and flags', () => {
    const { properties = {} } = z.toJSONSchema(method.config, { io: 'input' })
    expect(Object.keys(properties).length).toBeGreaterThan(0)
    for (const [field, schema] of Object.entries(properties)) {
      expect(schema, field).toMatchObject({
        label: expect.stringMatching(/\S/) as string,
        help: expect.stringMatching(/\S/) as string,
      })
      expect(schema, field).toHaveProperty('default')
    }
  })

  const tiny = tinyModel()
  const options = {
    model: tiny.model,
    weights: tiny.weights,
    method,
    methodConfig: method.config.parse(config),
    seed: 8,
    maxPositions: 16,
    device,
  }
  const text = { key: 'text', ids: randomIds('text', 12, tiny.options.vocab), from: 1 }
  const scoring = { varying: {}, padId: 0, batchSize: 1, signal: new AbortController().signal }

  type Named = ReadonlyMap<string, { data: Float32Array }>
  type Weights = ReadonlyMap<string, Float32Array>

  /** Log-probabilities of a text under `weights`, with the adapter's `parameters` where they are given. */
  async function logProbs(weights: Weights, parameters?: Named) {
    const frozen = new Map(weights)
    for (const [name, { data }] of parameters ?? []) frozen.set(name, data)
    const adapter = parameters && { method, methodConfig: options.methodConfig }
    const session = await openCached({ model: tiny.model, frozen, ...adapter }, device, 16)
    const [found] = await scoreTexts([text], { ...scoring, session })
    await session.release()
    return found!
  }

  test.runIf(method.identityAtStart)(
    `the start answers as the base, ${method.prepare ? 'within rounding' : 'bit for bit'}`,
    async () => {
      const session = await openTraining(options)
      const start = await logProbs(session.weights, namedViews(session.table, session.parameters))
      const base = await logProbs(tiny.weights)
      if (method.prepare) expect(relativeError(start, base)).toBeLessThan(1e-5)
      else expect(start).toEqual(base)
      await session.release()
    },
  )

  test('the start follows from the seed alone', async () => {
    const start = async (seed: number) => {
      const session = await openTraining({ ...options, seed })
      const { parameters, prepared, table } = session
      await session.release()
      const drawn = table.slices.filter(({ name }) => !prepared.parameters?.has(name))
      return { parameters, isDrawn: method.attach !== undefined && drawn.length > 0 }
    }
    const [first, again, other] = [await start(8), await start(8), await start(9)]
    expect(again).toEqual(first)
    if (first.isDrawn) expect(other).not.toEqual(first)
  })

  test('G4: saved and loaded, exported and merged, it answers the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'touchstone-methods-'))
    const session = await openTraining(options)
    const { table, parameters, weights, prepared } = session
    const stream = randomStream(30, 'moved')
    for (let i = 0; i < parameters.length; i++) parameters[i]! += 0.05 * stream.normal()
    const views = namedViews(table, parameters)
    const moved = await logProbs(weights, views)
    expect(relativeError(moved, await logProbs(tiny.weights))).toBeGreaterThan(1e-3)

    const state = { ...newOptimizerState(parameters, session.memorySize), step: 3 }
    const path = join(folder, 'state.safetensors')
    await saveTrainingState(path, state, { run: 'this' })
    const loaded = await loadTrainingState(path, { run: 'this' }, session.memorySize)
    expect(await logProbs(weights, namedViews(table, loaded.parameters))).toEqual(moved)

    if (method.toPeft) {
      const peft = method.toPeft(views, options.methodConfig, 'the base', prepared)
      await writePeftFolder(join(folder, 'adapter'), peft)
      const read = await readPeftFolder(join(folder, 'adapter'))
      expect(read.config).toMatchObject(peft.config)
      expect(read.tensors).toEqual(new Map(peft.tensors))
      const tuned = adaptedWeights(tiny.weights, read, 'adapter')
      const merged = new Map([...tiny.weights.keys()].map((name) => [name, tuned.read(name)]))
      expect(relativeError(await logProbs(merged), moved)).toBeLessThan(1e-5)
    }
    await session.release()
    await rm(folder, { recursive: true })
  })
})

describe('LoRA', () => {
  test('methods.md §5.1 T5: a layer by hand', async () => {
    for (const dialect of [FLOAT64, CPU]) {
      const g = createGraph(dialect)
      const [W, x, G] = [
        g.input('W', g.float, [2, 3]),
        g.input('x', g.float, [1, 3]),
        g.input('G', g.float, [2, 3]),
      ]
      const site = {
        name: 'l.q_proj',
        module: 'q_proj',
        layer: 0,
        weight: W,
        inFeatures: 3,
        outFeatures: 2,
      }
      const adapter = lora.attach!(g, site, lora.config.parse({ rank: 1, alpha: 0.5 }))!
      const merged = adapter.weight()
      // The gradient G of the effective weight, so that gB = s·G·Aᵀ and gA = s·Bᵀ·G.
      const loss = g.reduceSum(g.mul(merged, G), [0, 1], { keepDims: false })
      const [A, B] = g.parameters
      const [gA, gB] = gradients(g, loss, [A!.value, B!.value])
      const outputs = { y: adapter.forward(x), merged, gA: gA!, gB: gB! }
      const runner = await createRunner(g, outputs, { device, purpose: 'train' })
      const of = (values: number[], dims: number[]): Tensor => ({
        data: dialect === CPU ? Float32Array.from(values) : Float64Array.from(values),
        dims,
      })
      const results = await runner.run({
        W: of([1, 2, 0, 0, 1, -1], [2, 3]),
        x: of([1, -1, 2], [1, 3]),
        G: of([1, 0, 2, 0, -1, 1], [2, 3]),
        [A!.name]: of([1, 0, 1], [1, 3]),
        [B!.name]: of([2, -1], [2, 1]),
      })
      expect(Array.from(results.y!.data, Number)).toEqual([2, -4.5])
      expect(Array.from(results.merged!.data, Number)).toEqual([2, 2, 1, -0.5, 1, -1.5])
      expect(Array.from(results.gA!.data, Number)).toEqual([1, 0.5, 1.5])
      expect(Array.from(results.gB!.data, Number)).toEqual([1.5, 0.5])
    }
  })

  test('T3: the first step can change B only', async () => {
    const tiny = tinyModel()
    const session = await openTraining({
      model: tiny.model,
      weights: tiny.weights,
      method: METHODS.find(({ name }) => name === 'lora')!,
      methodConfig: lora.config.parse({}),
      seed: 1,
      maxPositions: 16,
      device,
    })
    const { flat } = await session.gradients({
      tokens: Int32Array.from(randomIds('t', 6, 32)),
      batch: 1,
      seq: 6,
      rows: Int32Array.of(2, 3),
      labels: Int32Array.of(5, 7),
      weights: Float32Array.of(0.5, 0.5),
    })
    for (const [name, { data }] of namedViews(session.table, flat)) {
      if (name.endsWith('lora_A.weight'))
        expect(
          data.every((d) => d === 0),
          name,
        ).toBe(true)
      else
        expect(
          data.some((d) => d !== 0),
          name,
        ).toBe(true)
    }
    await session.release()
  })

  test.each([
    [8, 19_988_480],
    [128, 319_815_680],
  ])('T4: on every layer of LLaMA-2-7B rank %i has %i parameters', (rank, expected) => {
    const dims = {
      hidden: 4096,
      layers: 32,
      heads: 32,
      kvHeads: 32,
      headDim: 128,
      inner: 11008,
      vocab: 32000,
      tied: false,
      maxPositions: 4096,
      seed: 0,
    }
    const model = recognise({
      path: 'llama-2-7b',
      config: tinyConfig(dims),
      weights: indexOf(tinyShapes(dims)),
    })
    const g = createGraph()
    const config = lora.config.parse({ rank })
    const attach = (site: LinearSite) => lora.attach!(g, site, config)
    const scope = createScope(g, model.weights, { maxPositions: 1, attach })
    for (const { name, kind } of model.weights.values())
      if (kind === 'linear') scope.adapter(name.replace(/\.weight$/, ''))
    expect(parameterTable(g.parameters).size).toBe(expected)
  })
})
