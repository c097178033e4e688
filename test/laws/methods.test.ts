/**
 * @file The laws of fine-tuning methods (docs/methods/README.md, G1 to G4): exact gradients, forward = merged forward, merging and
 * unmerging, saving and loading, resuming; and the start, the configuration, and parameter counts.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { aboutMethods } from '../../evals/runs/options/methods.ts'
import { bind, type BoundMethod } from '../../evals/finetune/method.ts'
import { isTrained, namedViews } from '../../evals/finetune/training/parameters.ts'
import { METHODS } from '../../evals/finetune/registry.ts'
import { loadTrainingState, saveTrainingState } from '../../evals/finetune/training/state.ts'
import { newOptimizerState } from '../../evals/finetune/training/train.ts'
import type { TrainingSession } from '../../evals/finetune/training/session.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { gradients } from '../../evals/graph/gradient.ts'
import { FLOAT64, type Dialect } from '../../evals/graph/op.ts'
import { createGraph, type Graph } from '../../evals/graph/ops/index.ts'
import type { Value } from '../../evals/graph/value.ts'
import { openCached } from '../../evals/inference/cached-graph.ts'
import { scoreTexts } from '../../evals/inference/score.ts'
import {
  readPeftFolder,
  writePeftFolder,
  type PeftFolder,
} from '../../evals/models/formats/peft-folder.ts'
import type { Adapter, LinearSite } from '../../evals/models/scope.ts'
import { adaptedWeights } from '../../evals/models/weights/tuned-weights.ts'
import { createRunner } from '../../evals/runtime/session.ts'
import type { Tensor } from '../../evals/runtime/tensor.ts'
import { randomStream } from '../../evals/statistics/random.ts'
import { filesUnder, textOf } from '../doubles/imports.ts'
import { relativeError } from '../doubles/models/safetensors.ts'
import { tinyExperts } from '../doubles/models/tiny-adapter.ts'
import { tinyExamples, trainTiny } from '../doubles/training/tiny-training.ts'
import { randomIds, tinyModel } from '../doubles/models/tiny-model.ts'

const device = { name: 'cpu', threads: 1 } as const
const OUT = 5
const IN = 4
const ROWS = 3

/** Adapters of the tiny model, of two ranks, for methods that mix some. */
const ADAPTERS = await tinyExperts(tinyModel().model, 3)

/** A method's configurations to try: its defaults, and awkward ones (a scale that float32 rounds). */
const CONFIGS: Readonly<Record<string, readonly object[]>> = {
  lora: [{}, { rank: 3, alpha: 16 }, { rank: 1, alpha: 0.7 }],
  rslora: [{}, { rank: 3, alpha: 16 }],
  'lora-plus': [{}, { rank: 3, rateRatio: 2 }],
  'lora-fa': [{}, { rank: 3, alpha: 16 }],
  dora: [{}, { rank: 3, alpha: 16 }],
  pissa: [{}, { rank: 3, alpha: 16 }],
  olora: [{}, { rank: 3, alpha: 16 }],
  allora: [{}, { rank: 3, etaSquared: 4, rate: 'base' }],
  'lora-ga': [{ rank: 2 }, { rank: 3, alpha: 16, scale: 'unit', direction: 'ArBr' }],
  'ba-lora': [{}, { rank: 3, alpha: 16, concentration: 0 }],
  'lora-sb': [{ rank: 4 }, { rank: 3, startBatches: 2 }],
  'lq-lora': [{ rank: 2 }, { rank: 3, alpha: 16, bits: 2.5, fisherRows: 2 }],
  loram: [{}, { rank: 3, prune: 0.5 }],
  'lora-prune': [{}, { rank: 3, pruneScore: 'squared', pruneEdges: true, pruneEvery: 1 }],
  ggpo: [{}, { rank: 3, form: 'kohya' }],
  mgpo: [{}, { rank: 3, sign: 'descend', space: 'weight', scope: 'layer', inverseCap: 10 }],
  'lora-moe': [
    { targetModules: ['q_proj', 'down_proj'] },
    { targetModules: ['q_proj'], experts: 3, rank: 2, balanceForm: 'paper' },
  ],
  'x-lora': [
    { adapters: ADAPTERS, rank: 3 },
    { adapters: ADAPTERS, rank: 4, layerwise: true, depth: 2, size: 5, trainAdapters: true },
  ],
  full: [{}, { trainEmbeddings: false }],
}

/** Methods whose gradients are not those of their loss; test/unit/finetune has what theirs are. */
const OWN_GRADIENTS: ReadonlySet<string> = new Set(['allora'])

const cases = METHODS.flatMap((method) =>
  (CONFIGS[method.name] ?? []).map((config) => {
    const title = `${method.name} ${JSON.stringify(config)}`
    return [title, bind(method, config), config, method.config] as const
  }),
)

test('every method has configurations to try', () => {
  for (const { name } of METHODS) expect(CONFIGS[name], name).toBeDefined()
})

test('every method has its own list, a direction over at least ten seeds, and a line in docs', () => {
  const results = filesUnder('test/bench/results/directional-*.json').sort().at(-1)!
  const found = (
    JSON.parse(textOf(results)) as {
      results: { method: string; held: number; of: number; valueAndReference: number[][] }[]
    }
  ).results
  const page = textOf('docs/methods/README.md')
  for (const { name, paper, faithfulness } of METHODS) {
    const own = found.filter(({ method }) => method === name)
    expect(own.length, name).toBeGreaterThan(0)
    for (const { held, of, valueAndReference } of own) {
      expect(of, name).toBeGreaterThanOrEqual(10)
      // The count is that of its pairs; where a loss diverged there is no number, and the claim does not hold.
      const holding = valueAndReference.filter(([value, reference]) =>
        value === null ? false : value! <= (reference ?? Infinity),
      )
      expect(held, name).toBe(holding.length)
      expect(page, name).toMatch(new RegExp(`\\| \`${name}\` .*${held} of ${of}`))
    }
    if (name !== 'full')
      expect(filesUnder(`test/unit/finetune/methods/${name}.test.ts`), name).toHaveLength(1)
    expect(
      [paper, faithfulness].every((text) => text !== ''),
      name,
    ).toBe(true)
    expect(aboutMethods(), name).toContain(`  ${name}: `)
  }
})

/** Runs `build` over one adapted layer with generic numbers in every parameter. */
async function onOneLayer(
  dialect: Dialect,
  method: BoundMethod,
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
  const hidden = () => g.input('hidden', g.float, [ROWS, IN])
  const shares = method.gate?.(g, hidden(), [site.name])(site.name)
  const adapter = method.attach!(g, site, method.gate ? 'train' : 'evaluate', shares)!
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
    hidden: tensor('hidden', [ROWS, IN]),
    ...held,
    ...Object.fromEntries(g.parameters.map(({ name, shape }) => [name, tensor(name, shape)])),
  }
  return { runner, feeds, parameters: g.parameters }
}

const attached = cases.filter(([, method]) => 'attach' in method)

describe.each(attached)('%s: one adapted layer', (_, method) => {
  /** Σ y·c with a fixed generic c, as one scalar loss. */
  const lossOf = (g: Graph, y: Value): Value => {
    const stream = randomStream(22, 'cotangent')
    const c = Array.from({ length: ROWS * OUT }, () => stream.normal())
    return g.reduceSum(g.mul(y, g.constant(c, g.float, [ROWS, OUT])), [0, 1], { keepDims: false })
  }

  const checkGradients = async () => {
    const names: string[] = []
    const { runner, feeds } = await onOneLayer(FLOAT64, method, (g, adapter, x) => {
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
  }
  if (!OWN_GRADIENTS.has(method.name)) {
    const held = 'what it holds constant being held'
    test(`G1: its gradients are central differences, ${held} (float64)`, checkGradients)
  }

  if (!method.mergeable) return

  test('G3: forward(x) is x·weight()ᵀ within 1e-10 (float64)', async () => {
    const { runner, feeds } = await onOneLayer(FLOAT64, method, (g, adapter, x) => ({
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
    const { runner, feeds } = await onOneLayer(FLOAT64, method, (g, adapter) => {
      const W = g.inputs.find(({ name }) => name === 'W')!
      const merged = adapter.weight()
      return { merged, update: g.sub(merged, W) }
    })
    const { merged, update } = await runner.run(feeds)
    const back = (merged!.data as Float64Array).map((w, i) => w - Number(update!.data[i]))
    expect(relativeError(back, feeds.W!.data as Float64Array)).toBeLessThan(1e-12)
  })
})

describe.each(cases)('%s', (_, method, config, schema) => {
  test('its configuration parses its defaults and survives JSON', () => {
    const parsed = schema.parse(config)
    expect(method.settings).toEqual(parsed)
    expect(schema.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed)
    expect(schema.parse({})).toEqual(schema.parse(JSON.parse('{}')))
  })

  test('every field of its configuration says what it is, for forms and flags', () => {
    const { properties = {} } = z.toJSONSchema(schema, { io: 'input' })
    expect(Object.keys(properties).length).toBeGreaterThan(0)
    for (const [field, own] of Object.entries(properties)) {
      expect(own, field).toMatchObject({
        label: expect.stringMatching(/\S/) as string,
        help: expect.stringMatching(/\S/) as string,
      })
      expect(own, field).toHaveProperty('default')
    }
  })

  const tiny = tinyModel()
  const options = {
    model: tiny.model,
    weights: tiny.weights,
    method,
    seed: 8,
    maxPositions: 16,
    device,
    data: { examples: tinyExamples(tiny.options.vocab), padId: 0 },
  }
  const text = { key: 'text', ids: randomIds('text', 12, tiny.options.vocab), from: 1 }
  const scoring = { varying: {}, padId: 0, batchSize: 1, signal: new AbortController().signal }

  type Named = ReadonlyMap<string, { data: Float32Array }>
  type Weights = ReadonlyMap<string, Float32Array>
  type Views = ReturnType<typeof namedViews>

  /** Log-probabilities of a text under `weights`, with the adapter's `parameters` where they are given. */
  async function logProbs(weights: Weights, parameters?: Named) {
    const frozen = new Map(weights)
    for (const [name, { data }] of parameters ?? []) frozen.set(name, data)
    const adapter = parameters && { method }
    const session = await openCached({ model: tiny.model, frozen, ...adapter }, device, 16)
    const [found] = await scoreTexts([text], { ...scoring, session })
    await session.release()
    return found!
  }

  /** What is asked of a state: the training session itself, or weights that are made of it, as `evals/arms` does. */
  function answers({ weights, prepared }: TrainingSession, parameters: Views) {
    if (method.toWeights) {
      const weight = (name: string) => tiny.weights.get(name)!
      const made = method.toWeights({ model: tiny.model, parameters, prepared, weight })
      return logProbs(new Map([...tiny.weights, ...made]))
    }
    if (!method.cut) return logProbs(weights, parameters)
    return logProbs(mergedWith(method.toPeft!(parameters, 'the base', prepared)))
  }

  function mergedWith(folder: PeftFolder) {
    const tuned = adaptedWeights(tiny.weights, folder, 'adapter')
    return new Map([...tiny.weights.keys()].map((name) => [name, tuned.read(name)]))
  }

  const asBase = method.prepare ? 'within rounding' : 'bit for bit'
  const begins = method.identityAtStart ? `as the base, ${asBase}` : 'otherwise than the base'
  test(`the start answers ${begins}`, async () => {
    const session = await openTraining(options)
    const start = await answers(session, namedViews(session.table, session.parameters))
    const base = await logProbs(tiny.weights)
    if (!method.identityAtStart) expect(relativeError(start, base)).toBeGreaterThan(1e-4)
    else if (method.prepare) expect(relativeError(start, base)).toBeLessThan(1e-5)
    else expect(start).toEqual(base)
    await session.release()
  })

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

  const isLast = config === CONFIGS[method.name]!.at(-1)
  test.runIf(isLast)('stopped and resumed from its file, it ends in the same bits', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'touchstone-resume-'))
    const path = join(folder, 'state.safetensors')
    const given = { method: method.name, methodConfig: config, config: { steps: 3 } }
    const whole = await trainTiny(given)
    await trainTiny(given, { until: 1, to: path })
    const resumed = await trainTiny(given, { from: path })
    expect(resumed.digest).toBe(whole.digest)
    await rm(folder, { recursive: true })
  })

  test('G4: saved and loaded, exported and merged, it answers the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'touchstone-methods-'))
    const session = await openTraining(options)
    const { table, parameters, prepared } = session
    const stream = randomStream(30, 'moved')
    for (let i = 0; i < parameters.length; i++) parameters[i]! += 0.05 * stream.normal()
    const views = namedViews(table, parameters)
    const moved = await answers(session, views)
    expect(relativeError(moved, await logProbs(tiny.weights))).toBeGreaterThan(1e-3)

    const state = { ...newOptimizerState(parameters, session.memorySize), step: 3 }
    const path = join(folder, 'state.safetensors')
    await saveTrainingState(path, state, { run: 'this' })
    const loaded = await loadTrainingState(path, { run: 'this' }, session.memorySize)
    expect(await answers(session, namedViews(table, loaded.parameters))).toEqual(moved)

    if (method.toPeft) {
      const peft = method.toPeft(views, 'the base', prepared)
      await writePeftFolder(join(folder, 'adapter'), peft)
      const read = await readPeftFolder(join(folder, 'adapter'))
      // PEFT takes names where we say all-linear.
      const modules = new Set([...peft.tensors.keys()].map((key) => key.split('.').at(-3)!))
      const targetModules = expect.toSatisfy(
        (names: string[]) => names.length > 0 && names.every((name) => modules.has(name)),
      ) as string[]
      expect(read.config).toMatchObject({ ...peft.config, targetModules })
      expect(read.tensors).toEqual(new Map(peft.tensors))
      expect(relativeError(await logProbs(mergedWith(read)), moved)).toBeLessThan(1e-5)
    }
    await session.release()
    await rm(folder, { recursive: true })
  })
})
