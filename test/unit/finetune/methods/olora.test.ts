/** @file OLoRA (docs/methods/initialisation.md): an orthonormal start from an unpivoted QR. */
import { describe, expect, test } from 'vitest'
import { leadingQr } from '../../../../evals/spectra/decomposition/leading-qr.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { openTiny } from '../../../doubles/training/tiny-training.ts'

const { normal } = randomStream(6, 'qr')
const random = (rows: number, columns: number) => ({
  rows,
  columns,
  data: Float64Array.from({ length: rows * columns }, () => normal()),
})

describe.each([
  [7, 5],
  [5, 7],
  [5, 5],
])('W [%i, %i] = Q·R', (rows, columns) => {
  const W = random(rows, columns)
  const { Q, R } = leadingQr(W, 5)

  test('Q is orthonormal within 1e-10', () => {
    for (let a = 0; a < 5; a++) {
      for (let b = 0; b < 5; b++) {
        let sum = 0
        for (let i = 0; i < rows; i++) sum += Q[i * 5 + a]! * Q[i * 5 + b]!
        expect(Math.abs(sum - (a === b ? 1 : 0))).toBeLessThan(1e-10)
      }
    }
  })

  test('R is upper trapezoidal, and the product is W', () => {
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < i; j++) expect(R[i * columns + j]).toBe(0)
    }
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let sum = 0
        for (let r = 0; r < 5; r++) sum += Q[i * 5 + r]! * R[r * columns + j]!
        expect(Math.abs(sum - W.data[i * columns + j]!)).toBeLessThan(1e-12)
      }
    }
  })

  test('fewer columns of Q are the first of all of them', () => {
    const few = leadingQr(W, 2)
    few.Q.forEach((q, i) => expect(q).toBeCloseTo(Q[Math.floor(i / 2) * 5 + (i % 2)]!, 13))
    few.R.forEach((r, i) => expect(r).toBeCloseTo(R[i]!, 13))
  })
})

test('a column that depends on those before it, or is zero, breaks nothing', () => {
  const W = { rows: 3, columns: 3, data: Float64Array.of(1, 2, 0, 2, 4, 0, 2, 4, 0) }
  const { Q, R } = leadingQr(W, 3)
  expect([...Q, ...R].every(Number.isFinite)).toBe(true)
  expect(R[0]).toBeCloseTo(-3, 14)
  expect(() => leadingQr({ ...W, data: W.data.with(4, NaN) }, 1, 'q_proj')).toThrow('q_proj')
})

test('on a model, A₀ is upper trapezoidal', async () => {
  const { session } = await openTiny({ method: 'olora', methodConfig: { rank: 4 } })
  for (const { name, start, shape } of session.table.slices) {
    if (!name.includes('lora_A')) continue
    const [rank, columns] = shape as [number, number]
    for (let i = 0; i < rank; i++) {
      for (let j = 0; j < i; j++) expect(session.parameters[start + i * columns + j]).toBe(0)
    }
  }
  await session.release()
})
