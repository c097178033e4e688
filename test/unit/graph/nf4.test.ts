/** @file Products with a weight in NF4: those of its numbers in float32, forward and backward; and why x·W is not left to MatMulBnb4. */
import { describe, expect, test } from 'vitest'
import { encode } from '../../../evals/graph/encode.ts'
import { gradients } from '../../../evals/graph/gradient.ts'
import { LEARNING } from '../../../evals/graph/op.ts'
import { createGraph, type Graph } from '../../../evals/graph/ops/index.ts'
import type { Value } from '../../../evals/graph/value.ts'
import { asNf4, fromNf4 } from '../../../evals/models/weights/nf4-weights.ts'
import { createRunner } from '../../../evals/runtime/session.ts'
import type { Feeds } from '../../../evals/runtime/tensor.ts'
import { fillNormal, randomStream } from '../../../evals/statistics/random.ts'
import { relativeError } from '../../doubles/models/safetensors.ts'
import { fc } from '../../doubles/properties.ts'

const normal = (size: number, label: string) =>
  fillNormal(new Float32Array(size), randomStream(size, label))

interface Shape {
  readonly rows: number
  readonly width: number
  readonly out: number
}

type Build = (g: Graph, x: Value, W: Value) => Record<string, Value>

/** y = x·Wᵀ, Σ y·c and its gradient in x. */
const trained: Build = (g, x, W) => {
  const y = g.matMulT(x, W)
  const loss = g.reduceSum(g.mul(y, g.input('c', g.float, y.shape)), [0, 1], { keepDims: false })
  return { y, dx: gradients(g, loss, [x])[0]! }
}

function graphOf({ width, out }: Shape, storage: 'nf4' | undefined, build: Build) {
  const g = createGraph(LEARNING)
  const x = g.input('x', 'float32', ['rows', width])
  const W = storage ? g.stored('W', [out, width], storage) : g.input('W', 'float32', [out, width])
  return { g, outputs: build(g, x, W) }
}

async function run(shape: Shape, storage: 'nf4' | undefined, feeds: Feeds, build = trained) {
  const { g, outputs } = graphOf(shape, storage, build)
  const device = { name: 'cpu', threads: 1 } as const
  const runner = await createRunner(g, outputs, { device, purpose: 'train' })
  const found = await runner.run(feeds)
  await runner.release()
  return found as Record<string, { data: Float32Array }>
}

function feedsOf({ rows, width, out }: Shape) {
  const small = asNf4(normal(out * width, 'W'))
  const groups = small.steps.length
  const both = {
    x: { data: normal(rows * width, 'x'), dims: [rows, width] },
    c: { data: normal(rows * out, 'c'), dims: [rows, out] },
  }
  const packed: Feeds = {
    ...both,
    W: { data: small.data, dims: [small.data.length] },
    'W:scale': { data: small.scales, dims: [groups, 256] },
    'W:step': { data: small.steps, dims: [groups, 1] },
    'W:least': { data: small.least, dims: [1] },
  }
  return { packed, wide: { ...both, W: { data: fromNf4(small), dims: [out, width] } } }
}

const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 9 }),
  width: fc.integer({ min: 1, max: 6 }).map((n) => 16 * n),
  out: fc.integer({ min: 1, max: 5 }).map((n) => 4 * n),
})

describe('NF4', () => {
  test('product and gradient are those of its numbers in float32', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const { packed, wide } = feedsOf(shape)
        const [found, expected] = [
          await run(shape, 'nf4', packed),
          await run(shape, undefined, wide),
        ]
        for (const name of ['y', 'dx'])
          expect(relativeError(found[name]!.data, expected[name]!.data)).toBeLessThan(1e-6)
      }),
      // More than one block of scales.
      { numRuns: 12, examples: [[{ rows: 2, width: 128, out: 260 }]] },
    )
  })

  test('W itself is read to the bit', async () => {
    const shape = { rows: 2, width: 64, out: 260 }
    const { packed, wide } = feedsOf(shape)
    const copy: Build = (g, _, W) => ({ wide: g.mul(W, g.constant([1], g.float, [1])) })
    const found = await run(shape, 'nf4', packed, copy)
    expect(found.wide!.data).toEqual(wide.W.data)
  })

  test('and beside a scalar, from which nothing can be made to wait', async () => {
    const shape = { rows: 2, width: 64, out: 4 }
    const { packed, wide } = feedsOf(shape)
    const scaled: Build = (g, x, W) => {
      const computed = g.reduceSum(x, [0, 1], { keepDims: false })
      return { half: g.mul(W, g.scalar(0.5)), computed: g.mul(computed, W) }
    }
    const [found, expected] = [
      await run(shape, 'nf4', packed, scaled),
      await run(shape, undefined, wide, scaled),
    ]
    for (const name of ['half', 'computed'])
      expect(found[name]!.data, name).toEqual(expected[name]!.data)
  })

  const products = (build: Build) => {
    const { g, outputs } = graphOf({ rows: 2, width: 64, out: 64 }, 'nf4', build)
    encode(g, outputs)
    return g.nodes.filter(({ opType }) => opType === 'MatMulBnb4')
  }

  test('is multiplied forward by its codes and backward by its numbers', () => {
    expect(products(trained).map(({ attributes }) => attributes.transB)).toEqual([1])
    expect(products((g, x, W) => ({ y: g.matMul(x, W) }))).toEqual([])
  })

  test('MatMulBnb4 without transB runs and is wrong, even where the shapes allow it', async () => {
    const shape = { rows: 2, width: 64, out: 64 }
    const { packed, wide } = feedsOf(shape)
    const [own] = products(trained)
    const asked: Build = (g, x, W) => {
      const y = g.matMulT(x, W)
      const node = g.nodes.find(({ opType }) => opType === 'MatMulBnb4')!
      Object.assign(node.attributes, { transB: 0 })
      return { y }
    }
    expect(own!.attributes.K).toBe(64)
    const found = await run(shape, 'nf4', packed, asked)
    const expected = await run(shape, undefined, wide, (g, x, W) => ({ y: g.matMul(x, W) }))
    expect(relativeError(found.y!.data, expected.y!.data)).toBeGreaterThan(0.1)
  })
})
