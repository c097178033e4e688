/** @file GGPO's noise by hand and by its moments (docs/methods/ggpo-mgpo.md). */
import { describe, expect, test } from 'vitest'
import { allDeviations, ggpo, noiseDeviations } from '../../../../evals/finetune/methods/ggpo.ts'
import { pairsOf } from '../../../../evals/finetune/methods/pairs.ts'
import { gradients } from '../../../../evals/graph/gradient.ts'
import { createGraph } from '../../../../evals/graph/ops/index.ts'
import { createRunner } from '../../../../evals/runtime/session.ts'
import type { Tensor } from '../../../../evals/runtime/tensor.ts'
import {
  LAYER,
  normals,
  normOf,
  productOf,
  randomPair,
  stateOf,
  stateOfPairs,
} from '../../../doubles/training/one-pair.ts'

const config = (more: object) => ggpo.config.parse({ rank: 2, alpha: 3, ...more })
const SCALE = 1.5

test('W′ = (3, 4), G = (0, 2), σ = .03, β = .01 give a deviation of .106151', () => {
  const one = { rows: 1, columns: 2, rank: 1, W: Float32Array.of(3, 4) }
  const state = stateOf({ ...one, A: new Float32Array(2), B: new Float32Array(1) })
  const settings = ggpo.config.parse({ rank: 1, alpha: 1, sigma: 0.03, beta: 0.01 })
  const [pair] = pairsOf(state.layout)
  const [found] = noiseDeviations(state, pair!, Float32Array.of(4), settings)
  expect(found).toBeCloseTo(0.106151, 6)
})

// Below 48 / 10 row norms come from A·Aᵀ, above from B·A.
test.each([2, 5])(
  'v1 sees the effective weight W + s·B·A, cross term included, rank %i',
  (rank) => {
    const pair = randomPair(4, 6, rank)
    const state = stateOf(pair)
    const update = productOf(pair, pair.B, pair.A)
    const effective = pair.W.map((w, i) => w + SCALE * update[i]!)
    const remembered = Float32Array.of(1, 0, 4, 2)
    const settings = config({ rank, alpha: SCALE * rank, beta: 0.5 })
    const found = noiseDeviations(state, pairsOf(state.layout)[0]!, remembered, settings)
    found.forEach((deviation, i) => {
      const square = normOf(effective.subarray(i * 6, (i + 1) * 6)) ** 2 + 0.5 * remembered[i]!
      expect(deviation).toBeCloseTo((0.03 / Math.sqrt(6)) * Math.sqrt(square), 7)
    })
  },
)

test('kohya: (σ·√(w̄² + ‖(BA)_i‖²) + β·‖G̃_i‖²)/√out, B·A not scaled', () => {
  const pair = randomPair(4, 6, 2)
  const state = stateOf(pair)
  const update = productOf(pair, pair.B, pair.A)
  const rowNorm = (flat: Float32Array | Float64Array, i: number) =>
    normOf(flat.subarray(i * 6, (i + 1) * 6))
  const mean = [0, 1, 2, 3].reduce((sum, i) => sum + rowNorm(pair.W, i) / 4, 0)
  const remembered = Float32Array.of(1, 0, 4, 2)
  const settings = config({ form: 'kohya', sigma: 0.2, beta: 0.5 })
  const found = noiseDeviations(state, pairsOf(state.layout)[0]!, remembered, settings)
  found.forEach((deviation, i) => {
    const size = 0.2 * Math.sqrt(mean ** 2 + rowNorm(update, i) ** 2) + 0.5 * remembered[i]!
    expect(deviation).toBeCloseTo(size / 2, 6)
  })
})

test('T2: over 4000 draws a row’s noise has energy σ²(‖W′‖² + β‖G̃‖²) within 3 %', () => {
  const pair = randomPair(3, 24, 2)
  const settings = config({ sigma: 0.3, beta: 0.7 })
  const memory = Float32Array.of(0, 3, 8)
  const state = stateOf(pair, { memory })
  const deviations = noiseDeviations(state, pairsOf(state.layout)[0]!, memory, settings)
  const energy = [0, 0, 0]
  let sum = 0
  const DRAWS = 4000
  for (let step = 0; step < DRAWS; step++) {
    const moved = ggpo.hooks(settings).perturb!({ ...state, step })!.inputs!.get(`${LAYER}.weight`)!
    moved.forEach((w, i) => {
      const ε = w - pair.W[i]!
      energy[Math.floor(i / 24)]! += (ε * ε) / DRAWS
      sum += ε
    })
  }
  energy.forEach((found, i) => {
    const expected = 24 * deviations[i]! ** 2
    expect(Math.abs(found / expected - 1), `row ${i}`).toBeLessThan(0.03)
  })
  // The mean of 288,000 draws: 5 of its own deviations.
  const deviation = Math.sqrt(deviations.reduce((total, d) => total + 24 * DRAWS * d * d, 0))
  expect(Math.abs(sum)).toBeLessThan(5 * deviation)
})

test('noise follows from seed, step, micro-batch and layer alone', () => {
  const state = stateOf(randomPair(3, 5, 2), { memory: new Float32Array(3) })
  const at = (more: object) =>
    ggpo.hooks(config({})).perturb!({ ...state, ...more })!
      .inputs!.get(`${LAYER}.weight`)!
      .slice()
  const first = at({})
  expect(at({})).toEqual(first)
  for (const more of [{ step: 1 }, { microBatch: 1 }, { seed: 8 }])
    expect(at(more)).not.toEqual(first)
})

test('it remembers the row norms of s·(B·∇A + ∇B·A), squared', () => {
  const pair = randomPair(4, 6, 2)
  const gradient = normals('gradient', 2 * 6 + 4 * 2)
  const { gradient: same, memory } = ggpo.hooks(config({})).step!({
    ...stateOf(pair),
    gradient,
  })
  expect(same).toBe(gradient)
  const [dA, dB] = [gradient.subarray(0, 12), gradient.subarray(12)]
  const [left, right] = [productOf(pair, pair.B, dA), productOf(pair, dB, pair.A)]
  const G = left.map((x, i) => SCALE * (x + right[i]!))
  memory!.forEach((square, i) => {
    expect(square / normOf(G.subarray(i * 6, (i + 1) * 6)) ** 2).toBeCloseTo(1, 5)
  })
})

describe('kohya’s noise', () => {
  const build = async (mode: 'train' | 'evaluate') => {
    const g = createGraph()
    const W = g.input('W', g.float, [4, 3])
    const x = g.input('x', g.float, [2, 3])
    const site = {
      name: LAYER,
      module: 'q_proj',
      layer: 0,
      weight: W,
      inFeatures: 3,
      outFeatures: 4,
    }
    const adapter = ggpo.hooks(config({ form: 'kohya' })).attach!(g, site, mode)!
    const y = adapter.forward(x)
    const loss = g.reduceSum(g.mul(y, y), [0, 1], { keepDims: false })
    const [dx] = gradients(g, g.mul(loss, g.scalar(0.5)), [x])
    const device = { name: 'cpu', threads: 1 } as const
    return createRunner(g, { y, dx: dx! }, { device, purpose: 'train' })
  }
  const tensor = (label: string, dims: readonly number[]): Tensor => ({
    data: normals(label, dims[0]! * dims[1]!),
    dims,
  })
  const feeds = {
    W: tensor('W', [4, 3]),
    x: tensor('x', [2, 3]),
    [`${LAYER}.lora_A.weight`]: tensor('A', [2, 3]),
    [`${LAYER}.lora_B.weight`]: tensor('B', [4, 2]),
  }

  test('is no part of the graph that is evaluated', async () => {
    expect((await build('evaluate')).inputs).not.toContain(`${LAYER}.ggpo_noise`)
    expect((await build('train')).inputs).toContain(`${LAYER}.ggpo_noise`)
  })

  test('moves the output by x·εᵀ, and x hears of the weights alone', async () => {
    const noise = tensor('ε', [3, 4])
    const noisy = await (await build('train')).run({ ...feeds, [`${LAYER}.ggpo_noise`]: noise })
    const plain = await (await build('evaluate')).run(feeds)
    const value = ({ data }: Tensor, i: number, j: number, width: number) =>
      Number(data[i * width + j])
    const effective = productOf({ rows: 4, columns: 3, rank: 2 }, normals('B', 8), normals('A', 6))
    const weight = normals('W', 12).map((w, i) => w + SCALE * effective[i]!)
    for (let row = 0; row < 2; row++) {
      for (let o = 0; o < 4; o++) {
        let moved = value(plain.y!, row, o, 4)
        for (let j = 0; j < 3; j++) moved += value(feeds.x, row, j, 3) * value(noise, j, o, 4)
        expect(value(noisy.y!, row, o, 4)).toBeCloseTo(moved, 4)
      }
      for (let j = 0; j < 3; j++) {
        // dL/dy = y here, and dL/dx = y·W′ with the noisy y but the weight itself.
        let expected = 0
        for (let o = 0; o < 4; o++) expected += value(noisy.y!, row, o, 4) * weight[o * 3 + j]!
        expect(value(noisy.dx!, row, j, 3)).toBeCloseTo(expected, 4)
      }
    }
  })
})

describe('the isotropic control', () => {
  const layers = ['one', 'two'].map((label, i) => randomPair(3 + i, 6, 2, label))
  const memory = Float32Array.of(0, 3, 8, 1, 0, 2, 5)
  const state = stateOfPairs(layers, { memory })
  const found = (shape: 'rows' | 'isotropic', form: 'v1' | 'kohya' = 'v1') => [
    ...allDeviations(state, config({ shape, form, sigma: 0.3, beta: 0.7 })),
  ]
  const energyOf = (all: ReturnType<typeof found>) =>
    all.reduce(
      (sum, [{ columns }, own]) => sum + own.reduce((part, d) => part + columns * d * d, 0),
      0,
    )

  test.each(['v1', 'kohya'] as const)('has the energy of the %s noise, and no shape', (form) => {
    const isotropic = found('isotropic', form)
    expect(energyOf(isotropic)).toBeCloseTo(energyOf(found('rows', form)), 9)
    expect(new Set(isotropic.flatMap(([, own]) => [...own])).size).toBe(1)
    expect(new Set(found('rows', form).flatMap(([, own]) => [...own])).size).toBe(7)
  })

  test('v1: E‖ε‖² = σ²(Σ‖W′_i‖² + βΣ‖G̃_i‖²), and so over 2000 draws within 3 %', () => {
    const settings = config({ shape: 'isotropic', sigma: 0.3, beta: 0.7 })
    const weights = layers.flatMap((pair) => {
      const update = productOf(pair, pair.B, pair.A)
      return [...pair.W].map((w, i) => w + SCALE * update[i]!)
    })
    const expected = 0.3 ** 2 * (normOf(weights) ** 2 + 0.7 * memory.reduce((a, b) => a + b, 0))
    expect(energyOf(found('isotropic'))).toBeCloseTo(expected, 5)
    let energy = 0
    for (let step = 0; step < 2000; step++) {
      const { inputs } = ggpo.hooks(settings).perturb!({ ...state, step })!
      layers.forEach(({ W, name }) => {
        inputs!.get(`${name}.weight`)!.forEach((w, i) => (energy += (w - W[i]!) ** 2 / 2000))
      })
    }
    expect(Math.abs(energy / expected - 1)).toBeLessThan(0.03)
  })
})
