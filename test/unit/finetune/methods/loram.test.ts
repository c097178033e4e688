/** @file LoRAM: what is cut, what is recovered, and that zeros in the base's shapes answer as the cut model does. */
import { describe, expect, test } from 'vitest'
import { cutWeight } from '../../../../evals/finetune/cut.ts'
import { loram } from '../../../../evals/finetune/methods/loram.ts'
import { lora } from '../../../../evals/finetune/methods/lora.ts'
import { bind, type BoundMethod } from '../../../../evals/finetune/method.ts'
import { makeBatch } from '../../../../evals/finetune/training/dataset.ts'
import { openTraining } from '../../../../evals/finetune/training/train-graph.ts'
import { namedViews } from '../../../../evals/finetune/training/parameters.ts'
import { openCached } from '../../../../evals/inference/cached-graph.ts'
import { scoreTexts } from '../../../../evals/inference/score.ts'
import {
  dequantise,
  LazyWeights,
  quantise,
  smallOf,
  storageOf,
} from '../../../../evals/models/weights/small-weights.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { randomIds, tinyModel } from '../../../doubles/models/tiny-model.ts'
import { tinyExamples } from '../../../doubles/training/tiny-training.ts'
import { normals, productOf } from '../../../doubles/training/one-pair.ts'

const device = { name: 'cpu', threads: 1 } as const
// Two groups of attention of two heads each, eight channels in each MLP.
const tiny = tinyModel({ heads: 4, kvHeads: 2, inner: 8 })
const layer = (name: string) => `model.layers.0.${name}`
const bound = (prune: number) => bind(loram, { rank: 2, prune })

describe('the cut', () => {
  test('takes the heads and channels of least magnitude, queries with the keys that they read', () => {
    const weights = new Map(tiny.weights)
    // Heads 2 and 3 read the second head of keys; channel 5 of the MLP is nearly nothing.
    for (const name of ['k_proj', 'v_proj'])
      weights.set(layer(`self_attn.${name}.weight`), new Float32Array(16 * 16).fill(1, 0, 8 * 16))
    for (const name of ['gate_proj', 'up_proj']) {
      const W = new Float32Array(8 * 16).fill(1)
      weights.set(layer(`mlp.${name}.weight`), W.fill(0.01, 5 * 16, 6 * 16))
    }
    const { kept, model, weights: own } = bound(0.5).cut!({ model: tiny.model, weights })
    const eight = (first: number) => Array.from({ length: 8 }, (_, i) => first + i)
    const [attention, half] = [kept.get(layer('self_attn.q_proj'))!, eight(0).concat(eight(8))]
    expect(attention).toEqual({ whole: [32, 16], rows: half })
    expect(kept.get(layer('self_attn.k_proj'))!.rows).toEqual(eight(0))
    expect(kept.get(layer('self_attn.o_proj'))!.columns).toEqual(half)
    expect(kept.get(layer('mlp.gate_proj'))!.rows).not.toContain(5)
    expect(kept.get(layer('mlp.down_proj'))!.columns).toEqual(kept.get(layer('mlp.up_proj'))!.rows)
    for (const [name, { shape }] of model.weights)
      expect(own.get(name)!.length, name).toBe(shape.reduce((a, b) => a * b, 1))
  })

  test('T4: half of the groups is half of the numbers of the blocks', () => {
    const numbers = (model: typeof tiny.model) =>
      [...model.weights.values()]
        .filter(({ module }) => module !== undefined)
        .reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0)
    const { model } = bound(0.5).cut!({ model: tiny.model })
    expect(numbers(model) / numbers(tiny.model)).toBe(0.5)
  })

  test('leaves a group at least, and everything where nothing is pruned', () => {
    const shapeAt = (prune: number) =>
      bound(prune).cut!({ model: tiny.model }).model.weights.get(layer('self_attn.k_proj.weight'))!
        .shape
    expect(shapeAt(0.95)).toEqual([8, 16])
    expect(bound(0).cut!({ model: tiny.model }).kept.size).toBe(0)
  })

  test('T3: zeros in the whole shapes answer as the cut model does', async () => {
    const { model, weights, kept } = bound(0.5).cut!({ model: tiny.model, weights: tiny.weights })
    const zeroed = new Map(
      [...tiny.weights].map(([name, data]) => [
        name,
        cutWeight(data, kept.get(name.replace(/\.weight$/, ''))),
      ]),
    )
    const scores = async (own: typeof model, frozen: ReadonlyMap<string, Float32Array>) => {
      const session = await openCached({ model: own, frozen }, device, 16)
      const text = { key: 'text', ids: randomIds('text', 12, tiny.options.vocab), from: 1 }
      const signal = new AbortController().signal
      const scoring = { session, varying: {}, padId: 0, batchSize: 1, signal }
      const [found] = await scoreTexts([text], scoring)
      await session.release()
      return found!
    }
    const cut = await scores(model, weights)
    expect(relativeError(await scores(tiny.model, zeroed), cut)).toBeLessThan(1e-5)
    expect(relativeError(await scores(tiny.model, tiny.weights), cut)).toBeGreaterThan(1e-3)
  })
})

describe('the recovery', () => {
  const recover = async (prune: number) => {
    const method = bound(prune)
    const own = { model: tiny.model, weights: tiny.weights, method, seed: 1, maxPositions: 16 }
    const session = await openTraining({ ...own, device })
    const { table, prepared } = session
    await session.release()
    const views = namedViews(table, normals('parameters', table.size))
    return { views, prepared, folder: method.toPeft!(views, 'the base', prepared) }
  }
  const change = (
    tensors: ReadonlyMap<string, { shape: readonly number[]; data: Float32Array }>,
    name: string,
  ) => {
    const [A, B] = ['A', 'B'].map((part) => tensors.get(`${name}.lora_${part}.weight`)!)
    const size = { rows: B!.shape[0]!, columns: A!.shape[1]!, rank: A!.shape[0]! }
    return { ...size, data: productOf(size, B!.data, A!.data) }
  }

  test('T1: B·A is the trained one at kept rows and columns, and zero elsewhere', async () => {
    const { views, prepared, folder } = await recover(0.5)
    expect(prepared.kept!.size).toBe(14)
    for (const [name, { whole, rows, columns }] of prepared.kept!) {
      const [small, large] = [change(views, name), change(folder.tensors, name)]
      expect([large.rows, large.columns], name).toEqual(whole)
      for (let i = 0; i < large.rows; i++)
        for (let j = 0; j < large.columns; j++) {
          const [row, column] = [rows?.indexOf(i) ?? i, columns?.indexOf(j) ?? j]
          const trained = row < 0 || column < 0 ? 0 : small.data[row * small.columns + column]!
          expect(large.data[i * large.columns + j]).toBe(trained)
        }
    }
  })

  test('T2: with nothing pruned it is the adapter as trained', async () => {
    const { views, folder } = await recover(0)
    expect(folder.tensors).toEqual(new Map(views))
  })
})

describe('beside a base in NF4 (QLoRAM)', () => {
  const small = new Map(
    [...tiny.model.weights.values()].flatMap((spec) => {
      const storage = storageOf(spec, 'nf4')
      const data = tiny.weights.get(spec.name)!
      return storage ? [[spec.name, quantise(data, spec.shape[0]!, storage)] as const] : []
    }),
  )
  const kept = new LazyWeights(tiny.weights.keys(), small, (name) => tiny.weights.get(name)!)
  const cut = bound(0.5).cut!({ model: tiny.model, weights: kept })
  const own = smallOf(cut.weights)!

  test('what is kept of a matrix is quantised again, and what is whole stays as it is', () => {
    const name = layer('self_attn.q_proj.weight')
    const part = cut.kept.get(layer('self_attn.q_proj'))!
    const float = bound(0.5).cut!({ model: tiny.model, weights: new Map(kept) })
    expect([...cut.kept]).toEqual([...float.kept])
    expect(own.get(name)!.storage).toBe('nf4')
    expect(cut.weights.get(name)).toEqual(
      dequantise(quantise(float.weights.get(name)!, part.rows!.length, 'nf4')),
    )
    expect(own.get('model.embed_tokens.weight')).toBe(small.get('model.embed_tokens.weight'))
    expect([...cut.weights.keys()]).toEqual([...tiny.weights.keys()])
  })

  test('it trains beside exactly those numbers', async () => {
    const examples = tinyExamples(tiny.options.vocab)
    const losses = async (weights: ReadonlyMap<string, Float32Array>, method: BoundMethod) => {
      const model = method.cut ? tiny.model : cut.model
      const session = await openTraining({
        model,
        weights,
        method,
        seed: 1,
        maxPositions: 32,
        device,
      })
      const { loss, flat } = await session.gradients(makeBatch(examples, 0))
      const found = [loss, ...flat]
      await session.release()
      return found
    }
    const asCut = await losses(kept, bound(0.5))
    const asWhole = await losses(new Map(cut.weights), bind(lora, { rank: 2 }))
    expect(asCut.length).toBe(asWhole.length)
    expect(relativeError(Float32Array.from(asCut), Float32Array.from(asWhole))).toBeLessThan(1e-5)
  })
})

test('a family of other parts is refused by name', () => {
  const weights = new Map(tiny.model.weights)
  weights.delete(layer('mlp.gate_proj.weight'))
  expect(() => bound(0.5).cut!({ model: { ...tiny.model, weights } })).toThrow(
    expect.objectContaining({ code: 'training.not-separable' }),
  )
})
