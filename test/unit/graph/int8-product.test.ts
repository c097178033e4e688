/** @file Products in int8: to the bit what integers in TypeScript give, and a gradient that is the float32 weight's. */
import { beforeEach, describe, expect, test } from 'vitest'
import { gradients } from '../../../evals/graph/gradient.ts'
import { LEARNING } from '../../../evals/graph/op.ts'
import { createGraph, type Graph } from '../../../evals/graph/ops/index.ts'
import type { Value } from '../../../evals/graph/value.ts'
import { sumsExactly } from '../../../evals/runtime/int8-sums.ts'
import { createRunner } from '../../../evals/runtime/session.ts'
import type { Feeds } from '../../../evals/runtime/tensor.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { fc } from '../../doubles/properties.ts'

interface Factors {
  readonly rows: number
  readonly width: number
  readonly out: number
  readonly x: Float32Array
  readonly W: Int8Array
  readonly scales: Float32Array
}

/** x in general position, one row of it larger than all others and one of zeros; W of whole numbers up to ±127, often those. */
function factorsOf(rows: number, width: number, out: number): Factors {
  const stream = randomStream(rows * width, `int8 ${out}`)
  const sizeOf = (row: number) => (row === 1 ? 0 : row === 2 ? 1e4 : 1)
  const entry = () => Math.max(-127, Math.min(127, Math.round((2 * stream.uniform() - 1) * 200)))
  return {
    rows,
    width,
    out,
    x: Float32Array.from(
      { length: rows * width },
      (_, i) => sizeOf(Math.floor(i / width)) * stream.normal(),
    ),
    W: Int8Array.from({ length: out * width }, entry),
    scales: Float32Array.from({ length: out }, () => 1e-3 * (1 + stream.uniform())),
  }
}

const even = (value: number) => {
  const below = Math.floor(value)
  const above = value - below
  return above > 0.5 || (above === 0.5 && below % 2 !== 0) ? below + 1 : below
}

/** y = s·t·Σ q·w, the sum in whole numbers, every other step in float32. */
function byHand({ rows, width, out, x, W, scales }: Factors): Float32Array {
  const y = new Float32Array(rows * out)
  for (let row = 0; row < rows; row++) {
    const own = x.subarray(row * width, (row + 1) * width)
    const largest = Math.fround(own.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-30))
    const s = Math.fround(largest * Math.fround(1 / 127))
    const q = Array.from(own, (v) => even(Math.fround(v / s)))
    for (let column = 0; column < out; column++) {
      const sum = q.reduce((total, value, i) => total + value * W[column * width + i]!, 0)
      y[row * out + column] = Math.fround(Math.fround(Math.fround(sum) * scales[column]!) * s)
    }
  }
  return y
}

const feedsOf = ({ rows, width, out, x, W, scales }: Factors): Feeds => ({
  x: { data: x, dims: [rows, width] },
  W: { data: W, dims: [out, width] },
  'W:scale': { data: scales, dims: [out] },
})

type Storage = 'int8' | 'product:int8'

async function run(
  factors: Factors,
  storage: Storage,
  build: (g: Graph, x: Value, W: Value) => Record<string, Value>,
  more: Feeds = {},
  threads = 1,
) {
  const g = createGraph(LEARNING)
  const x = g.input('x', 'float32', ['rows', factors.width])
  const outputs = build(g, x, g.stored('W', [factors.out, factors.width], storage))
  const runner = await createRunner(g, outputs, {
    device: { name: 'cpu', threads },
    purpose: 'train',
  })
  const results = await runner.run({ ...feedsOf(factors), ...more })
  await runner.release()
  const data = Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [name, tensor.data as Float32Array]),
  )
  return { data, kinds: g.nodes.map(({ opType }) => opType) }
}

const product = (factors: Factors, threads?: number) =>
  run(factors, 'product:int8', (g, x, W) => ({ y: g.matMulT(x, W) }), {}, threads)

describe('a forward product', () => {
  beforeEach(async ({ skip }) => {
    if (!(await sumsExactly()))
      skip('this processor cuts sums of int8 off, and the flag is refused')
  })

  test('is that of whole numbers, to the bit', async () => {
    const size = (most: number) => fc.integer({ min: 1, max: most })
    await fc.assert(
      fc.asyncProperty(size(20), size(70), size(40), async (rows, width, out) => {
        const factors = factorsOf(rows, width, out)
        expect((await product(factors)).data.y).toEqual(byHand(factors))
      }),
      {
        numRuns: 40,
        examples: [
          [1, 1, 1],
          [1, 64, 33],
          [4, 576, 192],
        ],
      },
    )
  })

  test('is the same with any number of threads, and beside any other rows', async () => {
    const factors = factorsOf(64, 300, 120)
    const [one, two] = [await product(factors, 1), await product(factors, 2)]
    expect(two.data.y).toEqual(one.data.y)
    const few = { ...factors, rows: 5, x: factors.x.subarray(0, 5 * 300) }
    expect((await product(few)).data.y).toEqual(one.data.y!.subarray(0, 5 * 120))
  })

  test('is off by half a step of its row of x at most', async () => {
    const factors = factorsOf(8, 96, 40)
    const { y } = (await product(factors)).data
    const exact = await run(factors, 'int8', (g, x, W) => ({ y: g.matMulT(x, W) }))
    const apart = y!.map((value, i) => Math.abs(value - exact.data.y![i]!))
    for (let row = 0; row < 8; row++) {
      const own = factors.x.subarray(row * 96, (row + 1) * 96)
      const half = Math.max(...own.map(Math.abs)) / 254
      for (let column = 0; column < 40; column++) {
        const w = factors.W.subarray(column * 96, (column + 1) * 96)
        const sum = w.reduce((total, value) => total + Math.abs(value), 0)
        const bound = half * factors.scales[column]! * sum
        expect(apart[row * 40 + column]).toBeLessThanOrEqual(1.001 * bound)
      }
    }
    expect(Math.max(...apart)).toBeGreaterThan(0)
  })

  test('of a row of zeros is zeros', async () => {
    const factors = factorsOf(3, 24, 5)
    expect((await product(factors)).data.y!.subarray(5, 10)).toEqual(new Float32Array(5))
  })
})

describe('gradients', () => {
  const factors = factorsOf(6, 48, 20)
  const stream = randomStream(9, 'cotangent')
  const numbers = (dims: readonly number[]) => ({
    data: Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => stream.normal()),
    dims,
  })
  const c = numbers([6, 20])

  const sumOf = (g: Graph, y: Value) =>
    g.reduceSum(g.mul(y, g.input('c', 'float32', ['rows', 20])), [0, 1], { keepDims: false })

  test('of x are dY·W of the weights that are kept, to the bit', async () => {
    const dx = (storage: Storage) =>
      run(
        factors,
        storage,
        (g, x, W) => ({ dx: gradients(g, sumOf(g, g.matMulT(x, W)), [x])[0]! }),
        { c },
      )
    const [found, expected] = [await dx('product:int8'), await dx('int8')]
    expect(found.data.dx).toEqual(expected.data.dx)
    expect(Math.hypot(...found.data.dx!)).toBeGreaterThan(1)
  })

  test('of a low-rank update are those of float32 products, beside a forward in int8', async () => {
    const fed = { c, A: numbers([3, 48]), B: numbers([20, 3]) }
    const both = (storage: Storage) =>
      run(
        factors,
        storage,
        (g, x, W) => {
          const [A, B] = [g.parameter('A', [3, 48]), g.parameter('B', [20, 3])]
          const y = g.lowRankLinear(x, W, A, B, 2)
          const [dx, dA, dB] = gradients(g, sumOf(g, y), [x, A, B])
          return { y, dx: dx!, dA: dA!, dB: dB! }
        },
        fed,
      )
    const [found, expected] = [await both('product:int8'), await both('int8')]
    for (const name of ['dx', 'dA', 'dB']) expect(found.data[name]).toEqual(expected.data[name])
    expect(found.data.y).not.toEqual(expected.data.y)
    expect(found.kinds.filter((kind) => kind === 'QGemm')).toHaveLength(1)
    expect(expected.kinds).not.toContain('QGemm')
  })
})

test('what two layers read is rounded once', async () => {
  const factors = factorsOf(4, 16, 8)
  const { data, kinds } = await run(factors, 'product:int8', (g, x, W) => ({
    y: g.matMulT(x, W),
    again: g.matMulT(x, W),
  }))
  expect(data.again).toEqual(data.y)
  expect(kinds.filter((kind) => kind === 'QuantizeLinear')).toHaveLength(1)
  expect(kinds.filter((kind) => kind === 'QGemm')).toHaveLength(2)
})

test('a table whose rows are gathered is as it is kept', async () => {
  const factors = factorsOf(4, 16, 8)
  const ids = { data: Int32Array.of(3, 0), dims: [2] }
  const { data } = await run(
    factors,
    'product:int8',
    (g, _, W) => ({ y: g.gatherRows(W, g.input('ids', 'int32', ['n'])) }),
    { ids },
  )
  const row = (index: number) =>
    Array.from(factors.W.subarray(16 * index, 16 * index + 16), (w) =>
      Math.fround(w * factors.scales[index]!),
    )
  expect([...data.y!]).toEqual([...row(3), ...row(0)])
})
