/** @file The layers of the generator of adapters against their definitions, and adapters as vectors. */
import { describe, expect, test } from 'vitest'
import {
  changeError,
  flatFormOf,
  flattened,
  unflattened,
} from '../../../../evals/finetune/generating/flat.ts'
import {
  batchNormed,
  convolved,
  divergence,
  elu,
  KERNEL,
  leaky,
  spreadOut,
} from '../../../../evals/finetune/generating/layers.ts'
import { autoencoder } from '../../../../evals/finetune/generating/network.ts'
import { FLOAT64 } from '../../../../evals/graph/op.ts'
import { createGraph, type Graph } from '../../../../evals/graph/ops/index.ts'
import type { Value } from '../../../../evals/graph/value.ts'
import { createRunner } from '../../../../evals/runtime/session.ts'
import { tinyAdapter } from '../../../doubles/models/tiny-adapter.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import { normals, productOf } from '../../../doubles/training/one-pair.ts'

const [batch, length, channels, out] = [2, 6, 3, 2]
const x = Float64Array.from(normals('x', batch * length * channels))
const W = Float64Array.from(normals('W', out * KERNEL * channels))
const b = Float64Array.from(normals('b', out))

async function computed(build: (g: Graph, given: Record<'x' | 'W' | 'b', Value>) => Value) {
  const g = createGraph(FLOAT64)
  const given = {
    x: g.input('x', g.float, [batch * length, channels]),
    W: g.input('W', g.float, [out, KERNEL * channels]),
    b: g.input('b', g.float, [out]),
  }
  const device = { name: 'cpu', threads: 1 } as const
  const runner = await createRunner(g, { y: build(g, given) }, { device, purpose: 'train' })
  const dims = { x: [batch * length, channels], W: [out, KERNEL * channels], b: [out] }
  const all = { x, W, b }
  const feeds = Object.fromEntries(
    runner.inputs.map((name) => {
      const key = name as keyof typeof all
      return [name, { data: all[key], dims: dims[key] }]
    }),
  )
  const { y } = await runner.run(feeds)
  await runner.release()
  return y!.data as Float64Array
}

const at = (n: number, i: number, c: number) =>
  i < 0 || i >= length ? 0 : x[(n * length + i) * channels + c]!
const tap = (o: number, k: number, c: number) => W[(o * KERNEL + k) * channels + c]!

/** Σ over channels and the taps that `rowOf` gives a row for. */
const byHand = (rows: number, rowOf: (j: number, k: number) => number) =>
  Array.from({ length: batch * rows * out }, (_, flat) => {
    const [n, j, o] = [Math.floor(flat / (rows * out)), Math.floor(flat / out) % rows, flat % out]
    let sum = b[o]!
    for (let k = 0; k < KERNEL; k++)
      for (let c = 0; c < channels; c++) sum += tap(o, k, c) * at(n, rowOf(j, k), c)
    return sum
  })

describe('layers', () => {
  const rows = { batch, length, channels }
  test('a convolution of stride 2 and padding 3', async () => {
    const found = await computed((g, given) => convolved(g, given.x, rows, given.W, given.b))
    expect(
      relativeError(
        found,
        byHand(length / 2, (j, k) => 2 * j + k - 3),
      ),
    ).toBeLessThan(1e-12)
  })

  test('and its mirror: row i reaches rows 2i − 3 to 2i + 3', async () => {
    const found = await computed((g, given) => spreadOut(g, given.x, rows, given.W, given.b))
    const rowOf = (j: number, k: number) => ((j + 3 - k) % 2 === 0 ? (j + 3 - k) / 2 : -1)
    expect(relativeError(found, byHand(2 * length, rowOf))).toBeLessThan(1e-12)
  })

  test('batches are normed by their own mean and variance', async () => {
    const found = await computed((g, { x: value }) => {
      const ones = (fill: number) =>
        g.constant(Array<number>(channels).fill(fill), g.float, [channels])
      return batchNormed(g, value, ones(2), ones(5))
    })
    for (let c = 0; c < channels; c++) {
      const own = found.filter((_, i) => i % channels === c)
      const mean = own.reduce((sum, y) => sum + y, 0) / own.length
      expect(mean).toBeCloseTo(5, 10)
      expect(own.reduce((sum, y) => sum + (y - mean) ** 2, 0) / own.length).toBeCloseTo(4, 3)
    }
  })

  test('leaky and exponential units', async () => {
    const [slope, exponential] = [
      await computed((g, { x: value }) => leaky(g, value)),
      await computed((g, { x: value }) => elu(g, value)),
    ]
    x.forEach((value, i) => {
      expect(slope[i]).toBeCloseTo(value >= 0 ? value : 0.01 * value, 12)
      expect(exponential[i]).toBeCloseTo(value >= 0 ? value : Math.expm1(value), 12)
    })
  })

  test('the divergence is 0 at N(0, 1) and ½ a number at N(1, 1)', async () => {
    const of = (mean: number) =>
      computed((g) => divergence(g, g.filled([2, 3], mean), g.filled([2, 3], 0)))
    expect(Math.abs((await of(0))[0]!)).toBe(0)
    expect((await of(1))[0]).toBe(3)
  })
})

test('twelve convolutions leave one row of 4096, and as many give it back', () => {
  const g = createGraph()
  const sizes = { batch: 2, length: 8192, task: 4, condition: 3, latent: 5 }
  expect(autoencoder(g, sizes).y.shape).toEqual([2, 8192])
  // Eight channels of two rows go into the linear layer.
  const encoder = g.parameters.find(({ name }) => name === 'encoder.weight')
  expect(encoder!.shape[1]).toBe(8 * (8192 / 4096))
})

describe('adapters as vectors', () => {
  const { model } = tinyModel()
  const found = [1, 2, 3].map((seed) => ({
    path: `seed ${seed}`,
    folder: tinyAdapter(model, 'the base', { seed }),
  }))
  const form = flatFormOf(found)

  test('norming and taking back is the identity; each tensor has mean 0 and deviation 1', () => {
    const flats = found.map(({ folder }) => flattened(form, folder))
    expect(form.length % 4096).toBe(0)
    expect(form.length - form.used).toBeLessThan(4096)
    flats.forEach((flat, i) => {
      expect(flat.subarray(form.used).every((value) => value === 0)).toBe(true)
      const back = unflattened(form, flat)
      for (const [name, { data, shape }] of found[i]!.folder.tensors) {
        expect(back.get(name)!.shape).toEqual(shape)
        expect(relativeError(back.get(name)!.data, data), name).toBeLessThan(1e-6)
      }
    })
    const squares = flats
      .flatMap((flat) => [...flat.subarray(0, form.used)])
      .map((value) => value ** 2)
    expect(squares.reduce((sum, value) => sum + value, 0) / squares.length).toBeCloseTo(1, 3)
  })

  test('the error is of B·A: none where A and B are turned against each other', () => {
    const [{ folder }, { folder: other }] = found as [(typeof found)[0], (typeof found)[0]]
    const turned = new Map(
      [...folder.tensors].map(([name, { shape, data }]) => {
        const factor = name.includes('lora_A') ? -2 : -0.5
        return [name, { shape, data: data.map((value) => factor * value) }]
      }),
    )
    expect(changeError(folder, turned)).toBeLessThan(1e-6)
    let [off, all] = [0, 0]
    for (const name of folder.tensors.keys()) {
      if (!name.endsWith('lora_A.weight')) continue
      const [own, theirs] = [folder, other].map(({ tensors }) => {
        const [A, B] = [tensors.get(name)!, tensors.get(name.replace('lora_A', 'lora_B'))!]
        const size = { rows: B.shape[0]!, columns: A.shape[1]!, rank: A.shape[0]! }
        return productOf(size, B.data, A.data)
      })
      own!.forEach((value, i) => {
        off += (theirs![i]! - value) ** 2
        all += value ** 2
      })
    }
    expect(changeError(folder, other.tensors)).toBeCloseTo(Math.sqrt(off / all), 5)
  })

  test.each([
    ['another layer', (name: string) => !name.includes('layers.1.'), /fewer layers/u],
    ['a number that is none', () => true, /not finite/u],
  ] as const)('an adapter with %s is refused', (_, isKept, expected) => {
    const { folder } = found[1]!
    const tensors = new Map(
      [...folder.tensors]
        .filter(([name]) => isKept(name))
        .map(([name, tensor]) => [name, { ...tensor, data: tensor.data.slice() }]),
    )
    if (isKept('layers.1.')) [...tensors.values()][0]!.data[0] = NaN
    expect(() => flatFormOf([found[0]!, { path: 'odd', folder: { ...folder, tensors } }])).toThrow(
      expect.objectContaining({
        code: 'generate.unlike',
        message: expect.stringMatching(expected) as string,
      }),
    )
  })
})
