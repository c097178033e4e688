/** @file ALLoRA by hand: docs/methods/dora-allora.md. */
import { bind } from '../../../../evals/finetune/method.ts'
import { describe, expect, test } from 'vitest'
import { allora, rowFactors } from '../../../../evals/finetune/methods/allora.ts'
import { gradients } from '../../../../evals/graph/gradient.ts'
import { CPU, FLOAT64, type Dialect } from '../../../../evals/graph/op.ts'
import { createGraph } from '../../../../evals/graph/ops/index.ts'
import { createRunner } from '../../../../evals/runtime/session.ts'
import type { Tensor } from '../../../../evals/runtime/tensor.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { normals } from '../../../doubles/training/one-pair.ts'

const device = { name: 'cpu', threads: 1 } as const
const of = (values: ArrayLike<number>, dims: number[], dialect: Dialect = FLOAT64): Tensor => ({
  data: dialect === CPU ? Float32Array.from(values) : Float64Array.from(values),
  dims,
})

test.each([
  [1, 0, 1],
  [4, 0, 2],
  [4, 0.5, 1.154701],
  [1, 3, 0.5],
])('η² = %d and a row of norm %d have c = %d', async (etaSquared, norm, expected) => {
  const g = createGraph(FLOAT64)
  const [A, B] = [g.input('A', g.float, [1, 2]), g.input('B', g.float, [1, 1])]
  const c = rowFactors(g, A, B, etaSquared)
  const runner = await createRunner(g, { c }, { device, purpose: 'train' })
  const results = await runner.run({ A: of([0.6, 0.8], [1, 2]), B: of([norm], [1, 1]) })
  expect(Number(results.c!.data[0])).toBeCloseTo(expected, 6)
})

interface Layer {
  readonly rows: number
  readonly rank: number
  readonly x: Tensor
  readonly W: Tensor
  readonly A: Tensor
  readonly B: Tensor
  /** dL/dy. */
  readonly dY: Tensor
}

async function run(
  { rank, x, W, A, B, dY }: Layer,
  etaSquared: number,
  dialect: Dialect = FLOAT64,
) {
  const g = createGraph(dialect)
  const [outFeatures, inFeatures] = W.dims as [number, number]
  const weight = g.input('W', g.float, W.dims)
  const input = g.input('x', g.float, x.dims)
  const up = g.input('dY', g.float, dY.dims)
  const site = { name: 'l.q_proj', module: 'q_proj', layer: 0, weight, inFeatures, outFeatures }
  const adapter = bind(allora, { rank, etaSquared }).attach!(g, site)!
  const y = adapter.forward(input)
  const [first, second] = g.parameters
  const loss = g.reduceSum(g.mul(y, up), [0, 1], { keepDims: false })
  const [gA, gB, dx] = gradients(g, loss, [first!.value, second!.value, input])
  const outputs = { y, gA: gA!, gB: gB!, dx: dx! }
  const runner = await createRunner(g, outputs, { device, purpose: 'train' })
  const results = await runner.run({ W, x, dY, [first!.name]: A, [second!.name]: B })
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]),
  )
}

const closeTo = (found: readonly number[], expected: readonly number[]) =>
  found.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 6))

test('the layer of lora.test.ts with η² = 2: gB = (c ⊙ G)·Aᵀ, gA = Bᵀ·(c ⊙ G)', async () => {
  // Rows of x are the axes, so that dYᵀ·x is G itself.
  const layer = {
    rows: 3,
    rank: 1,
    x: of([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3]),
    W: of([1, 2, 0, 0, 1, -1], [2, 3]),
    A: of([1, 0, 1], [1, 3]),
    B: of([2, -1], [2, 1]),
    dY: of([1, 0, 0, -1, 2, 1], [3, 2]),
  }
  const { gA, gB } = await run(layer, 2)
  closeTo(gB!, [1.644378, 0.722778])
  closeTo(gA!, [1.096252, 0.722778, 1.469727])
})

describe('a random layer', () => {
  const [rows, rank, width, out] = [7, 2, 5, 4] as const
  const layer = (dialect: Dialect): Layer => ({
    rows,
    rank,
    x: of(normals('x', rows * width), [rows, width], dialect),
    W: of(normals('W', out * width), [out, width], dialect),
    A: of(normals('A', rank * width), [rank, width], dialect),
    B: of(normals('B', out * rank), [out, rank], dialect),
    dY: of(normals('dY', rows * out), [rows, out], dialect),
  })
  /** LoRA's own gradients with dY's columns multiplied by `c`. */
  function plain(c: readonly number[]) {
    const { x, W, A, B, dY } = layer(FLOAT64)
    const at = ({ data, dims }: Tensor, i: number, j: number) => Number(data[i * dims[1]! + j])
    const G = (o: number, i: number) =>
      Array.from({ length: rows }, (_, t) => at(dY, t, o) * c[o]! * at(x, t, i)).reduce(
        (a, b) => a + b,
      )
    const sum = (n: number, f: (i: number) => number) =>
      Array.from({ length: n }, (_, i) => f(i)).reduce((a, b) => a + b)
    return {
      gB: Array.from({ length: out * rank }, (_, i) =>
        sum(width, (j) => G(Math.floor(i / rank), j) * at(A, i % rank, j)),
      ),
      gA: Array.from({ length: rank * width }, (_, i) =>
        sum(out, (o) => at(B, o, Math.floor(i / width)) * G(o, i % width)),
      ),
      dx: Array.from({ length: rows * width }, (_, i) => {
        const [t, j] = [Math.floor(i / width), i % width]
        return sum(
          out,
          (o) => at(dY, t, o) * (at(W, o, j) + sum(rank, (r) => at(B, o, r) * at(A, r, j))),
        )
      }),
    }
  }

  test.each([
    ['float64', FLOAT64, 1e-12],
    ['float32', CPU, 1e-5],
  ] as const)('%s: adapter gradients are scaled by row, dx is not', async (_, dialect, bound) => {
    const { A, B } = layer(FLOAT64)
    const c = Array.from({ length: out }, (_, o) => {
      const row = Array.from({ length: width }, (_, j) =>
        Array.from(
          { length: rank },
          (_, r) => Number(B.data[o * rank + r]) * Number(A.data[r * width + j]),
        ).reduce((a, b) => a + b),
      )
      return 1 / Math.sqrt(Math.hypot(...row) + 1 / 3)
    })
    const found = await run(layer(dialect), 3, dialect)
    const { gA, gB } = plain(c)
    expect(relativeError(found.gA!, gA)).toBeLessThan(bound)
    expect(relativeError(found.gB!, gB)).toBeLessThan(bound)
    expect(relativeError(found.dx!, plain([1, 1, 1, 1]).dx)).toBeLessThan(bound)
  })
})

test('at B = 0 every factor is η, and the effective rate is η times the rate', async () => {
  const g = createGraph(FLOAT64)
  const weight = g.input('W', g.float, [2, 3])
  const site = {
    name: 'l.q_proj',
    module: 'q_proj',
    layer: 0,
    weight,
    inFeatures: 3,
    outFeatures: 2,
  }
  bind(allora, { rank: 1, etaSquared: 4 }).attach!(g, site)
  expect(g.parameters.map(({ learningRateScale }) => learningRateScale)).toEqual([2, 2])
  const plain = createGraph(FLOAT64)
  const other = { ...site, weight: plain.input('W', plain.float, [2, 3]) }
  bind(allora, { rank: 1, etaSquared: 4, rate: 'base' }).attach!(plain, other)
  expect(plain.parameters.map(({ learningRateScale }) => learningRateScale)).toEqual([1, 1])
  const layer = {
    rows: 1,
    rank: 1,
    x: of([1, 2, 3], [1, 3]),
    W: of([1, 2, 0, 0, 1, -1], [2, 3]),
    A: of([1, 0, 1], [1, 3]),
    B: of([0, 0], [2, 1]),
    dY: of([1, -1], [1, 2]),
  }
  const { gA, gB } = await run(layer, 4)
  closeTo(gB!, [8, -8])
  closeTo(gA!, [0, 0, 0])
})
