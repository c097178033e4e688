/** @file The constrained objective of the first tokens: its gradient is that of the paper's loss, by central differences in float64. */
import { expect, test } from 'vitest'
import { gradients } from '../../../evals/graph/gradient.ts'
import { FLOAT64 } from '../../../evals/graph/op.ts'
import { createGraph } from '../../../evals/graph/ops/index.ts'
import { constrainedLoss } from '../../../evals/finetune/training/first-tokens.ts'
import { makeBatch } from '../../../evals/finetune/training/dataset.ts'
import { createRunner } from '../../../evals/runtime/session.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { relativeError } from '../../doubles/models/safetensors.ts'

const [ROWS, VOCAB] = [8, 6] as const
const LABELS = Int32Array.of(1, 0, 5, 2, 2, 3, 4, 1)
/** Of a reply of six tokens and one of two. */
const PLACES = Int32Array.of(0, 1, 2, 3, 4, 5, 0, 1)
const WEIGHTS = new Float64Array(ROWS).fill(1 / ROWS)
const BETAS = [0.5, 2, 2, 2, 2, 0.1, 0.5, 2]

const normals = (label: string) => {
  const { normal } = randomStream(5, label)
  return Float64Array.from({ length: ROWS * VOCAB }, normal)
}

function logProb(Z: Float64Array, row: number): number {
  const own = Z.subarray(row * VOCAB, (row + 1) * VOCAB)
  return own[LABELS[row]!]! - Math.log(own.reduce((sum, z) => sum + Math.exp(z), 0))
}

/** −Σ weight·2/β·log σ(β·(log p − log p_base)), as the paper writes it. */
const paperLoss = (Z: Float64Array, P: Float64Array, betas: readonly number[]) =>
  betas.reduce((sum, β, row) => {
    const ahead = logProb(Z, row) - logProb(P, row)
    return sum + (WEIGHTS[row]! * 2 * Math.log1p(Math.exp(-β * ahead))) / β
  }, 0)

async function gradientOf(Z: Float64Array, P: Float64Array, isEven: boolean, strength = 1) {
  const g = createGraph(FLOAT64)
  const outputs = g.input('Z', 'float64', [ROWS, VOCAB])
  const rowWeights = g.input('weights', 'float64', [ROWS])
  const labels = g.input('labels', 'int32', [ROWS])
  const io = {
    outputs,
    rowWeights,
    labels,
    taskLoss: outputs,
    shares: new Map<string, never>(),
    kinds: () => labels,
    places: () => g.input('places', 'int32', [ROWS]),
    reference: () => g.input('P', 'float64', [ROWS, VOCAB]),
  }
  const [gradient] = gradients(g, constrainedLoss(g, io, { strength, isEven }), [outputs])
  const device = { name: 'cpu', threads: 1 } as const
  const runner = await createRunner(g, { gradient: gradient! }, { device, purpose: 'train' })
  const results = await runner.run({
    Z: { data: Z, dims: [ROWS, VOCAB] },
    P: { data: P, dims: [ROWS, VOCAB] },
    weights: { data: WEIGHTS, dims: [ROWS] },
    labels: { data: LABELS, dims: [ROWS] },
    places: { data: PLACES, dims: [ROWS] },
  })
  await runner.release()
  return results.gradient!.data as Float64Array
}

const numeric = (Z: Float64Array, P: Float64Array, betas: readonly number[]) =>
  Z.map((z, i) => {
    const at = (h: number) => paperLoss(Z.with(i, z + h), P, betas)
    return (at(1e-5) - at(-1e-5)) / 2e-5
  })

test.each([1, 3])('its gradient is that of the paper’s loss, at strength %d', async (strength) => {
  const [Z, P] = [normals('Z'), normals('P')]
  const betas = BETAS.map((β) => (β === 0.1 ? β : strength * β))
  const found = await gradientOf(Z, P, false, strength)
  expect(relativeError(found, numeric(Z, P, betas))).toBeLessThan(1e-8)
})

test('the control has the same mean β on every token', async () => {
  const [Z, P] = [normals('Z'), normals('P')]
  const mean = BETAS.reduce((sum, β) => sum + β, 0) / ROWS
  const found = await gradientOf(Z, P, true)
  expect(
    relativeError(
      found,
      numeric(
        Z,
        P,
        BETAS.map(() => mean),
      ),
    ),
  ).toBeLessThan(1e-8)
})

test('at the base it is the gradient of cross-entropy', async () => {
  const Z = normals('Z')
  const crossEntropy = (X: Float64Array) =>
    WEIGHTS.reduce((sum, weight, row) => sum - weight * logProb(X, row), 0)
  const slope = Z.map((z, i) => {
    const at = (h: number) => crossEntropy(Z.with(i, z + h))
    return (at(1e-5) - at(-1e-5)) / 2e-5
  })
  expect(relativeError(await gradientOf(Z, Z, false), slope)).toBeLessThan(1e-8)
})

test('a token’s place counts from the first of its reply', () => {
  const labelled = [false, false, true, true, false, true]
  const { places } = makeBatch([{ ids: [1, 2, 3, 4, 5, 6], labelled }], 0)
  expect([...places!]).toEqual([0, 1, 0])
})
