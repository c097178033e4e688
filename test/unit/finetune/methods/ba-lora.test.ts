/** @file BA-LoRA's three terms by hand and by central differences, and PiSSA where they are off (docs/methods/ba-lora-lora-sb.md). */
import { describe, expect, test } from 'vitest'
import {
  certainty,
  divergence,
  leadingShare,
  spread,
} from '../../../../evals/finetune/methods/ba-lora.ts'
import type { LossInputs } from '../../../../evals/finetune/method.ts'
import { gradients } from '../../../../evals/graph/gradient.ts'
import { FLOAT64 } from '../../../../evals/graph/op.ts'
import { createGraph, type Graph } from '../../../../evals/graph/ops/index.ts'
import type { Value } from '../../../../evals/graph/value.ts'
import { createRunner } from '../../../../evals/runtime/session.ts'
import type { Tensor } from '../../../../evals/runtime/tensor.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { trainTiny } from '../../../doubles/training/tiny-training.ts'

const [ROWS, VOCAB] = [5, 8] as const

const normals = (label: string, length = ROWS * VOCAB) => {
  const { normal } = randomStream(3, label)
  return Float64Array.from({ length }, normal)
}
const WEIGHTS = Float64Array.of(0.1, 0.2, 0.3, 0.15, 0.25)

type Term = (g: Graph, io: LossInputs) => Value

/** The term and its gradient in Z, in float64; `slope` where the term is fed one. */
async function valueOf(term: Term, Z: Float64Array, P = Z, slope?: Float64Array) {
  const g = createGraph(FLOAT64)
  const outputs = g.input('Z', 'float64', [ROWS, VOCAB])
  const rowWeights = g.input('weights', 'float64', [ROWS])
  const io = {
    outputs,
    rowWeights,
    labels: outputs,
    taskLoss: outputs,
    shares: new Map<string, Value>(),
    kinds: () => outputs,
    places: () => outputs,
    reference: () => g.input('P', 'float64', [ROWS, VOCAB]),
  }
  const value = term(g, io)
  const [gradient] = gradients(g, value, [outputs])
  const device = { name: 'cpu', threads: 1 } as const
  const runner = await createRunner(g, { value, gradient: gradient! }, { device, purpose: 'train' })
  const feeds: Record<string, Tensor> = {
    Z: { data: Z, dims: [ROWS, VOCAB] },
    P: { data: P, dims: [ROWS, VOCAB] },
    weights: { data: WEIGHTS, dims: [ROWS] },
    ba_lora_slope: { data: slope ?? new Float64Array(ROWS * ROWS), dims: [ROWS, ROWS] },
  }
  const results = await runner.run(feeds)
  await runner.release()
  return { value: Number(results.value!.data[0]), gradient: results.gradient!.data as Float64Array }
}

function numeric(Z: Float64Array, of: (moved: Float64Array) => Promise<number>) {
  return Promise.all(
    Array.from(Z, async (_, i) => {
      const at = (h: number) => of(Z.with(i, Z[i]! + h))
      return ((await at(1e-5)) - (await at(-1e-5))) / 2e-5
    }),
  )
}

function gramOf(Z: ArrayLike<number>, rows: number, columns = Z.length / rows): Float64Array {
  return Float64Array.from({ length: rows * rows }, (_, at) => {
    const [i, j] = [Math.floor(at / rows), at % rows]
    let sum = 0
    for (let t = 0; t < columns; t++) sum += Z[i * columns + t]! * Z[j * columns + t]!
    return sum
  })
}

describe('consistency', () => {
  test('Z_F = Z_P gives 0, and no gradient', async () => {
    const { value, gradient } = await valueOf(divergence, normals('Z'))
    expect(Math.abs(value)).toBeLessThan(1e-15)
    expect(Math.max(...gradient.map(Math.abs))).toBeLessThan(1e-15)
  })

  test('it is Σ weight·KL(P‖F), by hand', async () => {
    const [Z, P] = [normals('Z'), normals('P')]
    const softmax = (X: Float64Array, row: number) => {
      const e = X.subarray(row * VOCAB, (row + 1) * VOCAB).map(Math.exp)
      const sum = e.reduce((a, b) => a + b, 0)
      return e.map((x) => x / sum)
    }
    let wanted = 0
    WEIGHTS.forEach((weight, row) => {
      const [p, f] = [softmax(P, row), softmax(Z, row)]
      p.forEach((x, v) => (wanted += weight * x * Math.log(x / f[v]!)))
    })
    expect((await valueOf(divergence, Z, P)).value).toBeCloseTo(wanted, 12)
    expect(wanted).toBeGreaterThan(0.1)
  })
})

test('diversity: a uniform softmax gives −ln V, −2.079442 at V = 8', async () => {
  const { value } = await valueOf(certainty, new Float64Array(ROWS * VOCAB).fill(0.7))
  expect(value).toBeCloseTo(-2.079442, 6)
})

describe('concentration', () => {
  test('rank(Z) ≤ k gives −1, and an orthogonal 4 × 4 with k = 3 gives −.75', () => {
    const [a, b] = [normals('a', ROWS * 2), normals('b', 2 * VOCAB)]
    const Z = Float64Array.from({ length: ROWS * VOCAB }, (_, at) => {
      const [i, j] = [Math.floor(at / VOCAB), at % VOCAB]
      return a[2 * i]! * b[j]! + a[2 * i + 1]! * b[VOCAB + j]!
    })
    const { value, slope } = leadingShare(gramOf(Z, ROWS), ROWS, 3)
    expect(value).toBeCloseTo(-1, 12)
    expect(slope.every((x) => Math.abs(x) < 1e-9)).toBe(true)
    const half = [1, 1, 1, 1, 1, -1, 1, -1, 1, 1, -1, -1, 1, -1, -1, 1].map((x) => x / 2)
    expect(leadingShare(gramOf(half, 4), 4, 3).value).toBeCloseTo(-0.75, 12)
  })

  test('logits of zeros have neither a share nor a slope', () => {
    const { value, slope } = leadingShare(new Float64Array(9), 3, 2)
    expect(value).toBe(0)
    expect(slope).toEqual(new Float32Array(9))
  })

  test.each([1, 3])('its gradient is that of −Σ_{i≤%i} σ_i / Σ σ_i', async (k) => {
    const Z = normals('Z')
    const { slope } = leadingShare(gramOf(Z, ROWS), ROWS, k)
    const { gradient, value } = await valueOf(spread, Z, Z, Float64Array.from(slope))
    const wanted = await numeric(Z, (moved) =>
      Promise.resolve(leadingShare(gramOf(moved, ROWS), ROWS, k).value),
    )
    // The slope is kept in float32.
    expect(relativeError(gradient, wanted)).toBeLessThan(1e-5)
    expect(Math.abs(value)).toBeLessThan(1e-6)
  })
})

test.each([
  ['consistency', divergence],
  ['diversity', certainty],
] as const)('%s: its gradient is central differences', async (_, term) => {
  const [Z, P] = [normals('Z'), normals('P')]
  const { gradient } = await valueOf(term, Z, P)
  const wanted = await numeric(Z, async (moved) => (await valueOf(term, moved, P)).value)
  expect(relativeError(gradient, wanted)).toBeLessThan(1e-6)
})

const OFF = { consistency: 0, diversity: 0, concentration: 0 }

test('λ = 0 is PiSSA, bit for bit; each λ alone moves the trajectory', async () => {
  const config = { rank: 4 }
  const plain = await trainTiny({ method: 'pissa', methodConfig: config })
  const off = await trainTiny({ method: 'ba-lora', methodConfig: { ...config, ...OFF } })
  expect(off.state.parameters).toEqual(plain.state.parameters)
  expect(off.reports).toEqual(plain.reports)
  for (const λ of Object.keys(OFF)) {
    const methodConfig = { ...config, ...OFF, [λ]: 0.1 }
    const { state, reports } = await trainTiny({ method: 'ba-lora', methodConfig })
    expect(state.parameters, λ).not.toEqual(plain.state.parameters)
    // Where it begins is where PiSSA begins, and what is reported is the task's loss.
    expect(reports[0]!.loss, λ).toBe(plain.reports[0]!.loss)
  }
})

test('a strong pull back to the base keeps the loss above where PiSSA takes it', async () => {
  const config = { steps: 30, warmupSteps: 1 }
  const last = async (λ: number) => {
    const methodConfig = { rank: 4, ...OFF, consistency: λ }
    return (await trainTiny({ method: 'ba-lora', methodConfig, config })).reports.at(-1)!.loss
  }
  expect(await last(10)).toBeGreaterThan((await last(0)) + 0.1)
})

test('two micro-batches give the consistency of one batch', async () => {
  const methodConfig = { rank: 4, ...OFF, consistency: 1, diversity: 1 }
  const one = await trainTiny({ method: 'ba-lora', methodConfig, config: { batchSize: 4 } })
  const two = await trainTiny({
    method: 'ba-lora',
    methodConfig,
    config: { batchSize: 2, gradientAccumulationSteps: 2 },
  })
  expect(relativeError(two.state.parameters, one.state.parameters)).toBeLessThan(1e-3)
})
