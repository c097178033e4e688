/** @file Clipping, noise and the budget of privacy against their closed forms. */
import { afterAll, describe, expect, test } from 'vitest'
import {
  addNoise,
  epsilonOf,
  privateMean,
  zcdp,
} from '../../../../evals/finetune/federation/privacy.ts'
import { privateSession } from '../../../../evals/finetune/federation/private-session.ts'
import { makeBatch } from '../../../../evals/finetune/training/dataset.ts'
import { productOf } from '../../../../evals/finetune/merging/low-rank.ts'
import { bindMethod } from '../../../../evals/finetune/registry.ts'
import { openTraining } from '../../../../evals/finetune/training/train-graph.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'
import { NAME_A, NAME_B, roundOf } from '../../../doubles/training/federated-round.ts'
import { tinyExamples } from '../../../doubles/training/tiny-training.ts'

test.each([
  [100, 10, 5.298526],
  [1000, 20, 8.837136],
])('%d steps of σ = %d at δ = 1e-5 spend ε = %d', (steps, noise, epsilon) => {
  expect(epsilonOf(zcdp(steps, noise), 1e-5)).toBeCloseTo(epsilon, 6)
})

describe('noise in the weights, of A `[4, 30]` and B `[40, 4]` of ones', () => {
  const [m, n, r, deviation] = [40, 30, 4, 0.2]
  const exact = new Float64Array(m * n).fill(r)
  function energy(draws: number, isFrozen: boolean): number {
    const stream = randomStream(7, `energy ${isFrozen}`)
    let sum = 0
    for (let draw = 0; draw < draws; draw++) {
      const A = new Float64Array(r * n).fill(1)
      const B = addNoise(new Float64Array(m * r).fill(1), deviation, stream)
      if (!isFrozen) addNoise(A, deviation, stream)
      const product = productOf(B, A, m, r, n)
      product.forEach((x, t) => (sum += (x - exact[t]!) ** 2))
    }
    return sum / draws
  }

  test('is τ²(m‖A‖² + n‖B‖²) + τ⁴mnr, and with A frozen τ²m‖A‖² alone', () => {
    expect(Math.abs(energy(600, false) / 391.68 - 1)).toBeLessThan(0.03)
    expect(Math.abs(energy(600, true) / 192 - 1)).toBeLessThan(0.03)
  })
})

describe('the mean of clients', () => {
  const before = { A: [1, 1], B: [0, 0] }
  const moved = (by: readonly number[]) => ({ A: [1, 1], B: by })
  const clients = [moved([3, 4]), moved([0.3, 0.4])]
  const round = roundOf({ rows: 2, columns: 2, before, clients, weights: [0.9, 0.1] })

  test('clips each, and counts the clients that were asked', () => {
    const quiet = { normal: () => 0 }
    const B = privateMean(round, { clip: 1, noise: 1 }, 2, quiet).get(NAME_B)!
    expect(B[0]).toBeCloseTo(0.45, 12)
    expect(B[1]).toBeCloseTo(0.6, 12)
    const lost = privateMean(round, { clip: 1, noise: 1 }, 4, quiet).get(NAME_B)!
    expect(lost[0]).toBeCloseTo(0.225, 12)
  })

  test('has noise of σC/n', () => {
    const draws = Array.from({ length: 4000 }, (_, i) => {
      const stream = randomStream(1, `mean ${i}`)
      return privateMean(round, { clip: 2, noise: 3 }, 2, stream).get(NAME_A)![0]! - 1
    })
    const variance = draws.reduce((sum, x) => sum + x * x, 0) / draws.length
    expect(Math.abs(variance / 9 - 1)).toBeLessThan(0.07)
  })
})

describe('DP-SGD', async () => {
  const tiny = tinyModel()
  const examples = tinyExamples(tiny.options.vocab).slice(0, 4)
  const session = await openTraining({
    ...{ model: tiny.model, weights: tiny.weights, seed: 0, maxPositions: 32 },
    method: bindMethod({ name: 'lora-fa', config: { rank: 2 } }),
    device: { name: 'cpu', threads: 1 },
  })
  afterAll(() => session.release())
  const quiet = { normal: () => 0 }
  const rows: Float32Array[] = []
  for (const example of examples)
    rows.push((await session.gradients(makeBatch([example], 0))).flat.slice())
  const norms = rows.map((row) => Math.hypot(...row))

  test.each([0.5, 1, 4])(
    'clips the gradient of each row to %d times the least norm',
    async (by) => {
      const clip = by * Math.min(...norms)
      const noisy = privateSession(session, { clip, noise: 1 }, quiet)
      const { flat } = await noisy.gradients(makeBatch(examples, 0))
      const expected = rows[0]!.map(
        (_, t) =>
          rows.reduce((sum, row, j) => sum + row[t]! * Math.min(1, clip / norms[j]!), 0) /
          rows.length,
      )
      const missed = Math.hypot(...flat.map((x, t) => x - expected[t]!)) / Math.hypot(...expected)
      expect(missed).toBeLessThan(1e-4)
    },
  )

  test('adds noise of σC/rows to what is trained, and none to what is frozen', async () => {
    const clip = 0.01
    const noisy = privateSession(session, { clip, noise: 50 }, randomStream(0, 'noise'))
    const { flat } = await noisy.gradients(makeBatch(examples, 0))
    for (const { start, end, learningRateScale } of session.table.slices) {
      const part = flat.subarray(start, end)
      if (learningRateScale === 0) expect(part.every((x) => x === 0)).toBe(true)
    }
    const square = flat.reduce((sum, x) => sum + x * x, 0) / session.table.trained
    const expected = (50 * clip) / examples.length
    expect(Math.abs(Math.sqrt(square) / expected - 1)).toBeLessThan(0.1)
  })
})
