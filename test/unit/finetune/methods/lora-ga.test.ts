/** @file LoRA-GA: its first step is the best rank-2r part of the gradient (docs/methods/initialisation.md). */
import { describe, expect, test } from 'vitest'
import { gradientStart, loraGa } from '../../../../evals/finetune/methods/lora-ga.ts'
import { onOriginalBase, withUpdate } from '../../../../evals/finetune/methods/moved-base.ts'
import { peftConfigOf } from '../../../../evals/finetune/methods/low-rank.ts'
import { bindMethod } from '../../../../evals/finetune/registry.ts'
import { leadingTriplets } from '../../../../evals/finetune/methods/singular.ts'
import { openTraining } from '../../../../evals/finetune/training/train-graph.ts'
import { scaleOf } from '../../../../evals/models/formats/peft-config.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { LAYER, normals, normOf, productOf } from '../../../doubles/training/one-pair.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import { tinyExamples } from '../../../doubles/training/tiny-training.ts'
import { lanes } from '../../../doubles/training/lanes.ts'

const [OUT, IN, RANK] = [12, 9, 3] as const
const site = { name: LAYER, module: 'q_proj', layer: 0, inFeatures: IN, outFeatures: OUT }
const config = (more: object = {}) => loraGa.config.parse({ rank: RANK, alpha: 6, ...more })
const K = OUT ** 0.25 / 4

/** X·Xᵀ `[rows, rows]`. */
const gramOf = (X: Float32Array, rows: number, columns: number) =>
  productOf({ rows, columns: rows, rank: columns }, X, transposedOf(X, rows, columns))

const transposedOf = (X: Float32Array, rows: number, columns: number): Float32Array =>
  Float32Array.from({ length: X.length }, (_, i) => X[(i % rows) * columns + Math.floor(i / rows)]!)

const identity = (size: number, factor: number) =>
  Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? factor : 0))

const G = normals('G', OUT * IN)
const W0 = normals('W0', OUT * IN)
const startOf = (more: object = {}, seed = 1) =>
  gradientStart(G, site, config(more), { seed, weight: () => W0 })

test('A₀·A₀ᵀ = B₀ᵀ·B₀ = k²·I with k = out^¼/√γ, from different singular vectors', () => {
  const { A, B } = startOf()
  expect(relativeError(gramOf(A, RANK, IN), identity(RANK, K * K))).toBeLessThan(1e-6)
  const Bt = transposedOf(B, OUT, RANK)
  expect(relativeError(gramOf(Bt, RANK, OUT), identity(RANK, K * K))).toBeLessThan(1e-6)
  // The left vectors that belong to A's right ones, G·A₀ᵀ, are orthogonal to B₀.
  const GA = productOf({ rows: OUT, columns: RANK, rank: IN }, G, transposedOf(A, RANK, IN))
  const overlap = productOf({ rows: RANK, columns: RANK, rank: OUT }, Bt, GA)
  expect(normOf(overlap)).toBeLessThan(1e-5 * normOf(GA))
})

test('the first step of SGD moves W by −η·s²·k²·Σ_{i≤2r} σ_i·u_i·v_iᵀ, up to O(η²)', () => {
  const { A, B } = startOf()
  const s = scaleOf(peftConfigOf(config()), LAYER)
  const term = (
    rows: number,
    columns: number,
    rank: number,
    X: ArrayLike<number>,
    Y: ArrayLike<number>,
  ) => productOf({ rows, columns, rank }, X, Y)
  // gB = s·G·A₀ᵀ and gA = s·B₀ᵀ·G; ΔW = −η·s·(gB·A₀ + B₀·gA).
  const gB = term(OUT, RANK, IN, G, transposedOf(A, RANK, IN))
  const gA = term(RANK, IN, OUT, transposedOf(B, OUT, RANK), G)
  const [left, right] = [term(OUT, IN, RANK, gB, A), term(OUT, IN, RANK, B, gA)]
  const moved = left.map((x, i) => s * s * (x + right[i]!))
  const { left: U, values, right: V } = leadingTriplets(G, OUT, IN, 2 * RANK, 'G')
  const truncated = new Float64Array(OUT * IN)
  values.forEach((σ, j) => {
    for (let i = 0; i < OUT; i++)
      for (let t = 0; t < IN; t++)
        truncated[i * IN + t]! += s * s * K * K * σ * U[j * OUT + i]! * V[j * IN + t]!
  })
  expect(relativeError(moved, truncated)).toBeLessThan(1e-6)
  expect(
    relativeError(
      moved,
      G.map((x) => s * s * K * K * x),
    ),
  ).toBeGreaterThan(1e-2)
})

test.each([
  [{ direction: 'A2rBr' }, K],
  [{ direction: 'ArBr' }, K],
  [{ direction: 'random' }, K],
  [{ scale: 'unit' }, 1],
  [{ scale: 'gd' }, 0.5],
  [{ gamma: 64 }, K / 2],
])('%j begins at size %d', (more, size) => {
  const { A, B } = startOf(more)
  expect(relativeError(gramOf(A, RANK, IN), identity(RANK, size * size))).toBeLessThan(1e-6)
  expect(normOf(B) ** 2).toBeCloseTo(RANK * size * size, 5)
})

test('weightS: the mean over the weight’s first r of √(σ/s), s = 2', () => {
  const { values } = leadingTriplets(W0, OUT, IN, RANK, 'W0')
  const size = values.reduce((sum, σ) => sum + Math.sqrt(σ / 2) / RANK, 0)
  const { A, B } = startOf({ scale: 'weightS' })
  expect(relativeError(gramOf(A, RANK, IN), identity(RANK, size * size))).toBeLessThan(1e-6)
  expect(normOf(B) ** 2).toBeCloseTo(RANK * size * size, 4)
})

test('ArBr takes every other vector, random draws from the seed; A and B never share one', () => {
  const { left, right } = leadingTriplets(G, OUT, IN, 2 * RANK, 'G')
  const indexIn = (vectors: Float64Array, dimension: number, x: Float32Array) =>
    Array.from({ length: 2 * RANK }, (_, j) =>
      Math.abs(x.reduce((sum, value, i) => sum + value * vectors[j * dimension + i]!, 0)),
    ).findIndex((cosine) => cosine > 0.999 * normOf(x))
  const numbers = ({ A, B }: ReturnType<typeof startOf>) => {
    const Bt = transposedOf(B, OUT, RANK)
    const each = Array.from({ length: RANK }, (_, j) => j)
    return {
      ofA: each.map((j) => indexIn(right, IN, A.subarray(j * IN, (j + 1) * IN))),
      ofB: each.map((j) => indexIn(left, OUT, Bt.subarray(j * OUT, (j + 1) * OUT))),
    }
  }
  expect(numbers(startOf({ direction: 'ArBr' }))).toEqual({ ofA: [1, 3, 5], ofB: [0, 2, 4] })
  const drawn = numbers(startOf({ direction: 'random' }))
  expect([...drawn.ofA, ...drawn.ofB].sort()).toEqual([0, 1, 2, 3, 4, 5])
  expect(numbers(startOf({ direction: 'random' }))).toEqual(drawn)
  const others = [2, 3, 4].map((seed) => numbers(startOf({ direction: 'random' }, seed)))
  expect(others.some((other) => other.ofA.join() !== drawn.ofA.join())).toBe(true)
})

test('on the original base its adapter of rank 2r is what training ended in', () => {
  const start = startOf()
  const s = scaleOf(peftConfigOf(config()), LAYER)
  const W = normals('W', OUT * IN)
  const moved = withUpdate(W, start, -s)
  const A = start.A.map((x, i) => x + 0.1 * normals('dA', start.A.length)[i]!)
  const B = start.B.map((x, i) => x + 0.1 * normals('dB', start.B.length)[i]!)
  const trained = withUpdate(moved, { A, B }, s)
  const names = [`${LAYER}.lora_A.weight`, `${LAYER}.lora_B.weight`] as const
  const folder = onOriginalBase(
    new Map([
      [names[0], { shape: [RANK, IN], data: A }],
      [names[1], { shape: [OUT, RANK], data: B }],
    ]),
    peftConfigOf(config()),
    'base',
    {
      parameters: new Map([
        [names[0], start.A],
        [names[1], start.B],
      ]),
    },
  )
  expect(folder.config).toMatchObject({ rank: 2 * RANK, alpha: 12 })
  expect(scaleOf(folder.config, LAYER)).toBe(s)
  const [a, b] = names.map((name) => folder.tensors.get(name)!)
  expect([a!.shape, b!.shape]).toEqual([
    [2 * RANK, IN],
    [OUT, 2 * RANK],
  ])
  expect(relativeError(withUpdate(W, { A: a!.data, B: b!.data }, s), trained)).toBeLessThan(1e-6)
  // Left as it was trained, the adapter is wrong on the original base.
  expect(relativeError(withUpdate(W, { A, B }, s), trained)).toBeGreaterThan(1e-2)
})

describe('in training', () => {
  const tiny = tinyModel()
  const open = (name: string, settings: object) => {
    const data = { examples: tinyExamples(tiny.options.vocab), padId: 0 }
    const device = { name: 'cpu', threads: 1 } as const
    const { model, weights } = tiny
    return openTraining({
      model,
      weights,
      method: bindMethod({ name, config: { ...settings } }),
      seed: 3,
      maxPositions: 32,
      device,
      data,
    })
  }

  test('both A and B have a gradient at once', async () => {
    const session = await open('lora-ga', { rank: 2 })
    const { flat } = await session.gradients({
      tokens: Int32Array.of(1, 2, 3, 4),
      ...lanes(1, 4),
      rows: Int32Array.of(1, 2),
      labels: Int32Array.of(3, 4),
      weights: Float32Array.of(0.5, 0.5),
    })
    for (const { name, start, end } of session.table.slices)
      expect(normOf(flat.subarray(start, end)), name).toBeGreaterThan(0)
    await session.release()
  })

  test.each([
    ['lora-ga', { rank: 5 }, '10'],
    ['lora-sb', { rank: 9 }, '9'],
  ])('%s: a rank that a layer has no room for is refused by name', async (name, settings, rank) => {
    const opened = open(name, settings)
    await expect(opened).rejects.toThrow(rank)
    await expect(opened).rejects.toThrow('model.layers.0.self_attn.k_proj')
    await expect(opened).rejects.toMatchObject({ code: 'usage.invalid' })
  })
})
