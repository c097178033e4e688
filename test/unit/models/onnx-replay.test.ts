/**
 * @file A graph that was exported is fine-tuned through the same gradients: LoRA's loss and every gradient on the nodes of the
 * file are those on the checkpoint that it was exported from, whoever exported it.
 */
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lora } from '../../../evals/finetune/methods/lora.ts'
import { bind } from '../../../evals/finetune/method.ts'
import { namedViews } from '../../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../../evals/finetune/training/train-graph.ts'
import { openOnnx } from '../../../evals/models/formats/onnx/folder.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { recognise, type Model } from '../../../evals/models/registry.ts'
import { asComputed } from '../../../evals/models/weight-list.ts'
import { writeOnnxModel } from '../../../evals/models/formats/onnx/write-onnx-model.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { EXPORTS, writeExported } from '../../doubles/models/exported-onnx.ts'
import {
  batchOf,
  FIXTURES,
  GOLDEN_FAMILIES,
  openGolden,
} from '../../doubles/models/golden-llama.ts'
import { relativeError } from '../../doubles/models/safetensors.ts'

const folder = freshFolder()
const base = await writeExported(folder)
const golden = await openGolden('llama-untied-gqa')
const batch = batchOf(golden.expected)
const method = bind(lora, { rank: 2, alpha: 4, dropout: 0 })

interface Weighted {
  readonly model: Model
  readonly weights: ReadonlyMap<string, Float32Array>
}

async function loaded(path: string): Promise<Weighted> {
  const { model, weights: kept, open } = await loadModel(path)
  const weights = new Map(kept)
  await open.close()
  return { model, weights }
}

/** Linear layers in the order in which they compute: names may differ between exporters, their order does not. */
const sitesIn = ({ model }: Weighted) =>
  [...model.weights.values()].flatMap(({ name, module }) =>
    module === undefined ? [] : [name.slice(0, -'.weight'.length)],
  )

/** Loss and gradients with both factors away from zero, by `the number of the layer` and factor. */
async function trained({ model, weights }: Weighted, on = batch) {
  const device = { name: 'cpu', threads: 1 } as const
  const options = { model, weights, method, seed: 3, maxPositions: 16, device }
  const session = await openTraining(options)
  const sites = sitesIn({ model, weights })
  const placeOf = (name: string) => {
    const site = sites.findIndex((each) => name.startsWith(`${each}.`))
    return `${site}${name.slice(sites[site]!.length)}`
  }
  const parameters = session.parameters.slice()
  for (const [name, { data }] of namedViews(session.table, parameters)) {
    const stream = randomStream(4, placeOf(name))
    data.forEach((_, i) => (data[i] = 0.1 * stream.normal()))
  }
  session.setParameters(parameters)
  const { loss, flat } = await session.gradients(on)
  const views = [...namedViews(session.table, flat.slice())].map(
    ([name, { data }]) => [placeOf(name), data] as const,
  )
  await session.release()
  return { loss, views: new Map(views) }
}

function expectSame(found: Awaited<ReturnType<typeof trained>>, expected: typeof found) {
  expect(Math.abs(found.loss - expected.loss)).toBeLessThan(1e-5)
  expect([...found.views.keys()].sort()).toEqual([...expected.views.keys()].sort())
  expect(found.views.size).toBeGreaterThan(8)
  for (const [place, data] of expected.views)
    expect(relativeError(found.views.get(place)!, data), place).toBeLessThan(1e-4)
}

describe('torch’s exports of a Llama', () => {
  test.each(EXPORTS)('%s', async (name) => {
    expectSame(await trained(await loaded(join(folder, name))), await trained(await loaded(base)))
  })

  test('Optimum’s nodes name the layers; folded weights are found by the nodes alone', async () => {
    const { model } = await loaded(join(folder, 'llama-optimum'))
    const sites = [...model.weights.values()].filter(({ module }) => module !== undefined)
    expect(sites.length).toBe(14)
    expect(sites[0]).toMatchObject({ layer: 0, module: 'q_proj', transposed: true })
    expect(sites[0]!.name).toBe('model.layers.0.self_attn.q_proj.weight')
    expect(model.weights.get('model.embed_tokens.weight')!.kind).toBe('embedding')
  })
})

async function opened(path: string): Promise<Weighted> {
  const checkpoint = await openOnnx(path, join(path, 'model.onnx'))
  const model = recognise(checkpoint)
  const weights = new Map<string, Float32Array>()
  for (const spec of model.weights.values())
    weights.set(spec.name, asComputed(checkpoint.read(spec.name), spec))
  await checkpoint.close()
  return { model, weights }
}

test('torch’s export of a GPT-2, with Gemm, LayerNormalization and a split of q, k and v', async () => {
  const path = join(folder, 'gpt2')
  await mkdir(path)
  await cp(join(FIXTURES, 'onnx', 'gpt2-optimum.onnx'), join(path, 'model.onnx'))
  const own = await openGolden('gpt2-tied')
  const on = batchOf(own.expected)
  expectSame(await trained(await opened(path), on), await trained(own, on))
})

/** A router's choice of experts has operators that carry no gradient here. */
const ROUTED = ['mixtral-experts', 'qwen3_moe-mixed']
const REPLAYED = GOLDEN_FAMILIES.filter((name) => !ROUTED.includes(name))

const write = ({ model, weights }: Awaited<ReturnType<typeof openGolden>>, path: string) =>
  writeOnnxModel(path, {
    model,
    read: (weight) => weights.get(weight)!,
    config: { model_type: 'any' },
    tokenizerFiles: new Map(),
  })

describe('our own exports', () => {
  test.each(REPLAYED)('%s', async (name) => {
    const own = await openGolden(name)
    const path = join(folder, `own-${name}`)
    await write(own, path)
    const on = batchOf(own.expected)
    expectSame(await trained(await opened(path), on), await trained(own, on))
  })

  test('of a mixture of experts: what cannot be differentiated is named, operator by operator', async () => {
    const own = await openGolden('mixtral-experts')
    const path = join(folder, 'experts')
    await write(own, path)
    const graph = await opened(path)
    await expect(trained(graph, batchOf(own.expected))).rejects.toMatchObject({
      code: 'onnx.no-gradient',
      message: expect.stringMatching(
        /No gradient here for: TopK \(2, first "TopK#\d+"\); OneHot \(2, .*\); ReduceMax \(2, /,
      ) as string,
    })
  })
})
