/** @file LoRA by hand: docs/methods/lora.md. */
import { bind } from '../../../../evals/finetune/method.ts'
import { describe, expect, test } from 'vitest'
import { lora } from '../../../../evals/finetune/methods/lora.ts'
import { namedViews, parameterTable } from '../../../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../../../evals/finetune/training/train-graph.ts'
import { gradients } from '../../../../evals/graph/gradient.ts'
import { CPU, FLOAT64 } from '../../../../evals/graph/op.ts'
import { createGraph } from '../../../../evals/graph/ops/index.ts'
import { recognise } from '../../../../evals/models/registry.ts'
import { createScope } from '../../../../evals/models/scope.ts'
import { createRunner } from '../../../../evals/runtime/session.ts'
import type { Tensor } from '../../../../evals/runtime/tensor.ts'
import {
  indexOf,
  randomIds,
  tinyConfig,
  tinyModel,
  tinyShapes,
} from '../../../doubles/models/tiny-model.ts'
import { lanes } from '../../../doubles/training/lanes.ts'

const device = { name: 'cpu', threads: 1 } as const

describe('LoRA', () => {
  test('a layer by hand', async () => {
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
      const adapter = bind(lora, { rank: 1, alpha: 0.5 }).attach!(g, site)!
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
      method: bind(lora, {}),
      seed: 1,
      maxPositions: 16,
      device,
    })
    const { flat } = await session.gradients({
      tokens: Int32Array.from(randomIds('t', 6, 32)),
      ...lanes(1, 6),
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
    const { attach } = lora.hooks(lora.config.parse({ rank }))
    const scope = createScope(g, model.weights, { maxPositions: 1, attach })
    for (const { name, kind } of model.weights.values())
      if (kind === 'linear') scope.adapter(name.replace(/\.weight$/, ''))
    expect(parameterTable(g.parameters).size).toBe(expected)
  })
})
