/** @file LoRAMoE's own list: both forms of the balance by hand, which rows lean where, one expert, and experts from adapters. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { balanceOf, leaningShares, loraMoe } from '../../../../evals/finetune/methods/lora-moe.ts'
import { lora } from '../../../../evals/finetune/methods/lora.ts'
import { bind, type FineTuneMethod } from '../../../../evals/finetune/method.ts'
import { makeBatch, makePackedBatch } from '../../../../evals/finetune/training/dataset.ts'
import { namedViews } from '../../../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../../../evals/finetune/training/train-graph.ts'
import { writePeftFolder } from '../../../../evals/models/formats/peft-folder.ts'
import { tinyAdapter } from '../../../doubles/models/tiny-adapter.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import { computed, matrix } from '../../../doubles/training/small-graph.ts'
import { tinyExamples } from '../../../doubles/training/tiny-training.ts'

const tiny = tinyModel()
const device = { name: 'cpu', threads: 1 } as const
const opened = (config: object, method: FineTuneMethod = loraMoe) =>
  openTraining({ ...tiny, method: bind(method, config), seed: 1, maxPositions: 16, device })

describe('the localised balance', () => {
  const balance = async (Z: number[][], form: 'cv2' | 'paper', counts = Z.map(() => [1])) =>
    (await computed((g) => ({ b: balanceOf(g, matrix(g, Z), matrix(g, counts), form) }))).b![0]!

  test('of equal shares is 0; the authors’ form and the paper’s by hand', async () => {
    expect(await balance([[1, 1, 1, 1]], 'cv2')).toBe(0)
    expect(await balance([[2, 1, 1, 0]], 'cv2')).toBeCloseTo(0.666667, 6)
    expect(await balance([[2.2, 1.1, 0.9, 0]], 'cv2')).toBeCloseTo(0.740741, 6)
    expect(await balance([[2.2, 1.1, 0.9, 0]], 'paper')).toBeCloseTo(0.583333, 6)
  })

  test('leaves texts without a kind out; with none it is 0', async () => {
    const other = [7, 0, 3, 1]
    expect(await balance([[2, 1, 1, 0], other], 'cv2', [[1], [0]])).toBeCloseTo(0.666667, 6)
    for (const form of ['cv2', 'paper'] as const)
      expect(await balance([other], form, [[0]])).toBe(0)
  })

  test('shares lean to the half of a row’s kind, and padding counts nowhere', async () => {
    const { Z } = await computed((g) => {
      const shares = matrix(g, [
        [1, 0.5, 0.5, 0],
        [1, 0.5, 0.5, 0],
        [9, 9, 9, 9],
        [2, 1, 1, 0],
        [8, 8, 8, 8],
        [8, 8, 8, 8],
      ])
      const kinds = g.constant([1, 1, -1, 0, -1, -1], 'int32', [2, 3])
      return { Z: leaningShares(g, shares, kinds, 0.1) }
    })
    const expected = [2.2, 1.1, 0.9, 0, 1.8, 0.9, 1.1, 0]
    Z!.forEach((share, i) => expect(share).toBeCloseTo(expected[i]!, 12))
  })
})

describe('rows and their kinds', () => {
  const plain = tinyExamples(tiny.options.vocab).slice(0, 4)
  const kinds = plain.map((row, i) => ({ ...row, kind: (i % 2) as 0 | 1 }))
  const gradientOf = async (rows: typeof plain, balance: number, pack = makeBatch) => {
    const config = { targetModules: ['down_proj'], experts: 2, rank: 2, balance }
    const session = await opened(config)
    session.parameters.forEach((_, i) => (session.parameters[i]! += 0.1 * Math.sin(i)))
    const { flat, loss } = await session.gradients(pack(rows, 0))
    const found = { flat: flat.slice(), loss }
    await session.release()
    return found
  }

  test('without kinds the balance changes no bit; with them it moves the routers, and not the loss that is told', async () => {
    const off = await gradientOf(plain, 0)
    const [without, leaning] = [await gradientOf(plain, 0.5), await gradientOf(kinds, 0.5)]
    expect(relativeError(without.flat, off.flat)).toBeLessThan(1e-6)
    expect(relativeError(leaning.flat, off.flat)).toBeGreaterThan(1e-3)
    expect(leaning.loss).toBe(off.loss)
  })

  test('packed rows carry their own kinds', () => {
    const { kinds: found, segments, seq } = makePackedBatch(kinds, 0)
    expect(found!.some((kind) => kind === 0) && found!.some((kind) => kind === 1)).toBe(true)
    found!.forEach((kind, i) => expect(kind === -1).toBe(segments[i] === -1))
    expect(found!.length % seq).toBe(0)
  })
})

test('one expert is LoRA', async () => {
  const shared = { targetModules: ['down_proj'], rank: 2, alpha: 6 }
  const batch = makeBatch(tinyExamples(tiny.options.vocab).slice(0, 3), 0)
  const [one, plain] = [await opened({ ...shared, experts: 1 }), await opened(shared, lora)]
  const partsOf = (name: string) => name.replace('experts_', 'lora_').replace('.weight', '')
  const draw = new Map<string, Float32Array>()
  for (const [name, { data }] of namedViews(plain.table, plain.parameters)) {
    data.forEach((_, i) => (data[i] = Math.sin(i + name.length)))
    draw.set(partsOf(name), data)
  }
  for (const [name, { data }] of namedViews(one.table, one.parameters))
    if (draw.has(partsOf(name))) data.set(draw.get(partsOf(name))!)
  const [mixed, expected] = [await one.gradients(batch), await plain.gradients(batch)]
  expect(mixed.loss).toBeCloseTo(expected.loss, 5)
  const of = namedViews(plain.table, expected.flat)
  for (const [name, { data }] of namedViews(one.table, mixed.flat)) {
    const wanted = [...of].find(([other]) => partsOf(other) === partsOf(name))
    if (wanted) expect(relativeError(data, wanted[1].data), name).toBeLessThan(1e-5)
    else expect(Math.max(...data.map(Math.abs)), name).toBe(0)
  }
  await Promise.all([one.release(), plain.release()])
})

test('experts begin as adapters, each with its own scale', async () => {
  const adapter = tinyAdapter(tiny.model, 'the base', { rank: 2, alpha: 6 })
  const path = await mkdtemp(join(tmpdir(), 'touchstone-moe-'))
  await writePeftFolder(path, adapter)
  await expect(opened({ adapters: [path, path], rank: 2 })).rejects.toThrow(/target-modules/u)
  const targetModules = ['all-linear']
  const session = await opened({ adapters: [path, path], rank: 2, targetModules })
  const layer = 'model.layers.0.mlp.down_proj'
  const B = namedViews(session.table, session.parameters).get(`${layer}.experts_B`)!
  const own = adapter.tensors.get(`${layer}.lora_B.weight`)!.data
  expect(B.shape[1]).toBe(4)
  for (let i = 0; i < own.length; i++) {
    const [row, r] = [Math.floor(i / 2), i % 2]
    for (const at of [r, 2 + r]) expect(B.data[4 * row + at]).toBeCloseTo(3 * own[i]!, 5)
  }
  await session.release()
})
