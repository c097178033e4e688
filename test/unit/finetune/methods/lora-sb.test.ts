/** @file LoRA-SB: fixed orthonormal A and B, and what R then learns (docs/methods/ba-lora-lora-sb.md). */
import { expect, test } from 'vitest'
import { loraSb, signedStart } from '../../../../evals/finetune/methods/lora-sb.ts'
import { leadingTriplets } from '../../../../evals/finetune/methods/singular.ts'
import { gradients } from '../../../../evals/graph/gradient.ts'
import { FLOAT64 } from '../../../../evals/graph/op.ts'
import { createGraph } from '../../../../evals/graph/ops/index.ts'
import { createRunner } from '../../../../evals/runtime/session.ts'
import type { Tensor } from '../../../../evals/runtime/tensor.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { LAYER, normals, normOf, productOf } from '../../../doubles/training/one-pair.ts'
import { TINY_STEPS, trainTiny } from '../../../doubles/training/tiny-training.ts'
import { openTiny } from '../../../doubles/training/tiny-training.ts'

const [OUT, IN, RANK] = [11, 8, 4] as const
const site = { name: LAYER, module: 'q_proj', layer: 0, inFeatures: IN, outFeatures: OUT }
const config = loraSb.config.parse({ rank: RANK, startRate: 0.01 })
const G = normals('G', OUT * IN)

const dot = (X: Float64Array, i: number, j: number, size: number) =>
  normSum(size, (t) => X[i * size + t]! * X[j * size + t]!)
const normSum = (n: number, f: (t: number) => number) =>
  Array.from({ length: n }, (_, t) => f(t)).reduce((a, b) => a + b, 0)

test('T1: the vectors are orthonormal within 1e-10', () => {
  const step = G.map((d) => -0.01 * Math.sign(d))
  const { left, right } = leadingTriplets(step, OUT, IN, RANK, 'ΔW')
  for (let i = 0; i < RANK; i++) {
    for (let j = 0; j < RANK; j++) {
      const expected = i === j ? 1 : 0
      expect(Math.abs(dot(left, i, j, OUT) - expected)).toBeLessThan(1e-10)
      expect(Math.abs(dot(right, i, j, IN) - expected)).toBeLessThan(1e-10)
    }
  }
})

test('B·R·A is the best rank-r part of −η·sign(G)', () => {
  const { A, B, R } = signedStart(G, site, config)
  const step = G.map((d) => -0.01 * Math.sign(d))
  const RA = productOf({ rows: RANK, columns: IN, rank: RANK }, R, A)
  const start = productOf({ rows: OUT, columns: IN, rank: RANK }, B, RA)
  const rest = step.map((x, i) => x - start[i]!)
  const { values } = leadingTriplets(step, OUT, IN, IN, 'ΔW')
  const tail = Math.sqrt(values.slice(RANK).reduce((sum, σ) => sum + σ * σ, 0))
  expect(normOf(rest) / tail).toBeCloseTo(1, 5)
  // Its diagonal holds the singular values and nothing stands beside it.
  R.forEach((x, i) => expect(x).toBeCloseTo(i % (RANK + 1) === 0 ? values[i % RANK]! : 0, 6))
})

test('T2, T4: ∇R = Bᵀ·G·Aᵀ, so that a step moves W by −η·B·Bᵀ·G·Aᵀ·A; R = 0 is the base', async () => {
  const g = createGraph(FLOAT64)
  const weight = g.input('W', g.float, [OUT, IN])
  const eye = g.input('x', g.float, [IN, IN])
  const dY = g.input('dY', g.float, [IN, OUT])
  const adapter = loraSb.hooks(config).attach!(g, { ...site, weight })!
  const y = adapter.forward(eye)
  const R = g.parameters.find(({ name }) => name.endsWith('lora_R.weight'))!
  const others = g.parameters.filter((parameter) => parameter !== R)
  const loss = g.reduceSum(g.mul(y, dY), [0, 1], { keepDims: false })
  const [gR, gA, gB] = gradients(
    g,
    loss,
    [R, ...others].map(({ value }) => value),
  )
  const device = { name: 'cpu', threads: 1 } as const
  const runner = await createRunner(
    g,
    { y, gR: gR!, gA: gA!, gB: gB! },
    { device, purpose: 'train' },
  )
  const double = (data: ArrayLike<number>, dims: number[]): Tensor => ({
    data: Float64Array.from(data),
    dims,
  })
  const { A, B } = signedStart(G, site, config)
  const turned = Float64Array.from(
    { length: G.length },
    (_, i) => G[(i % OUT) * IN + Math.floor(i / OUT)]!,
  )
  const results = await runner.run({
    W: double(normals('W', OUT * IN), [OUT, IN]),
    x: double(
      Array.from({ length: IN * IN }, (_, i) => (i % (IN + 1) === 0 ? 1 : 0)),
      [IN, IN],
    ),
    dY: double(turned, [IN, OUT]),
    [`${LAYER}.lora_A.weight`]: double(A, [RANK, IN]),
    [`${LAYER}.lora_B.weight`]: double(B, [OUT, RANK]),
    [R.name]: double(new Float32Array(RANK * RANK), [RANK, RANK]),
  })
  const product = (
    rows: number,
    columns: number,
    rank: number,
    X: ArrayLike<number>,
    Y: ArrayLike<number>,
  ) => productOf({ rows, columns, rank }, X, Y)
  const flip = (X: Float32Array, rows: number, columns: number) =>
    Float32Array.from(
      { length: X.length },
      (_, i) => X[(i % rows) * columns + Math.floor(i / rows)]!,
    )
  const projected = product(
    RANK,
    RANK,
    IN,
    product(RANK, IN, OUT, flip(B, OUT, RANK), G),
    flip(A, RANK, IN),
  )
  expect(relativeError(results.gR!.data as Float64Array, projected)).toBeLessThan(1e-12)
  expect(Array.from(results.gA!.data, Number).every((d) => d === 0)).toBe(true)
  expect(Array.from(results.gB!.data, Number).every((d) => d === 0)).toBe(true)
  expect(Array.from(results.y!.data, Number)).toEqual(
    Array.from(
      { length: IN * OUT },
      (_, i) => normals('W', OUT * IN)[(i % OUT) * IN + Math.floor(i / OUT)],
    ),
  )
  const moved = product(
    OUT,
    IN,
    RANK,
    B,
    product(RANK, IN, RANK, results.gR!.data as Float64Array, A),
  )
  const BBt = product(OUT, OUT, RANK, B, flip(B, OUT, RANK))
  const AtA = product(IN, IN, RANK, flip(A, RANK, IN), A)
  const expected = product(OUT, IN, IN, product(OUT, IN, OUT, BBt, G), AtA)
  expect(relativeError(moved, expected)).toBeLessThan(1e-12)
})

test('training changes R alone, r² numbers a layer', async () => {
  const settings = { rank: 4, startBatches: 2 }
  const { session, fresh } = await openTiny({ method: 'lora-sb', methodConfig: settings })
  const before = fresh.parameters.slice()
  const { slices, trained } = session.table
  await session.release()
  expect(trained).toBe(14 * 16)
  const { state } = await trainTiny({ method: 'lora-sb', methodConfig: settings })
  expect(state.step).toBe(TINY_STEPS)
  for (const { name, start, end } of slices) {
    const [then, now] = [before.subarray(start, end), state.parameters.subarray(start, end)]
    if (name.endsWith('lora_R.weight')) expect(now, name).not.toEqual(then)
    else expect(now, name).toEqual(then)
  }
})
