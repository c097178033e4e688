/** @file PiSSA (docs/methods/initialisation.md): the principal start, and the conversion to an adapter for the original base. */
import { describe, expect, test } from 'vitest'
import { onOriginalBase } from '../../../../evals/finetune/methods/moved-base.ts'
import { namedViews } from '../../../../evals/finetune/training/parameters.ts'
import { principalPart } from '../../../../evals/finetune/methods/pissa.ts'
import { scaleOf } from '../../../../evals/models/formats/peft-config.ts'
import { frobeniusNorm } from '../../../../evals/spectra/measures.ts'
import { singularValues } from '../../../../evals/spectra/decomposition/partial-svd.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { openTiny } from '../../../doubles/training/tiny-training.ts'
import { lanes } from '../../../doubles/training/lanes.ts'

const randomMatrix = (label: string, length: number) => {
  const { normal } = randomStream(5, label)
  return Float32Array.from({ length }, () => normal())
}

/** B·A in float64, `[rows, columns]`. */
function product(B: Float32Array, A: Float32Array, rank: number): Float64Array {
  const [rows, columns] = [B.length / rank, A.length / rank]
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns]
    let sum = 0
    for (let r = 0; r < rank; r++) sum += B[i * rank + r]! * A[r * columns + j]!
    return sum
  })
}

describe.each([
  [9, 6],
  [6, 9],
])('a weight [%i, %i]', (rows, columns) => {
  const W = randomMatrix(`${rows}`, rows * columns)
  const σ = singularValues({ rows, columns, data: W })

  test.each([1, 3, 6])('starts as its best approximation of rank %i', (rank) => {
    for (const scale of [1, 2.5]) {
      const { A, B } = principalPart(W, rows, columns, rank, scale)
      const rest = W.map((w, i) => w - scale * product(B, A, rank)[i]!)
      const tail = Math.sqrt(σ.slice(rank).reduce((sum, x) => sum + x * x, 0))
      expect(Math.abs(frobeniusNorm(rest) - tail) / σ[0]!).toBeLessThan(1e-6)
      // A₀ and B₀ share the singular values evenly: rows of A₀ and columns of B₀ have squared length σ/s.
      for (let r = 0; r < rank; r++) {
        const row = A.subarray(r * columns, (r + 1) * columns)
        const column = B.filter((_, i) => i % rank === r)
        expect(frobeniusNorm(row) ** 2 * scale).toBeCloseTo(σ[r]!, 5)
        expect(frobeniusNorm(column) ** 2 * scale).toBeCloseTo(σ[r]!, 5)
      }
    }
  })

  test.each([false, true])('T3: converted, it is the same weight (rsLoRA: %s)', (useRslora) => {
    const config = { base: '', rank: 2, alpha: 3, targetModules: ['l'], useRslora }
    const s = scaleOf(config, 'l')
    const begun = principalPart(W, rows, columns, 2, s)
    const [A, B] = [randomMatrix('A', 2 * columns), randomMatrix('B', rows * 2)]
    const tensors = new Map([
      ['l.lora_A.weight', { shape: [2, columns], data: A }],
      ['l.lora_B.weight', { shape: [rows, 2], data: B }],
    ])
    const parameters = new Map([
      ['l.lora_A.weight', begun.A],
      ['l.lora_B.weight', begun.B],
    ])
    const folder = onOriginalBase(tensors, config, 'base', { parameters })
    const [doubledA, doubledB] = ['l.lora_A.weight', 'l.lora_B.weight'].map((name) =>
      folder.tensors.get(name)!,
    )
    expect([doubledA!.shape, doubledB!.shape]).toEqual([
      [4, columns],
      [rows, 4],
    ])
    const change = product(doubledB!.data, doubledA!.data, 4)
    const [before, after] = [product(begun.B, begun.A, 2), product(B, A, 2)]
    const doubled = scaleOf(folder.config, 'l')
    const difference = W.length
    const errors = Float64Array.from({ length: difference }, (_, i) => {
      const moved = W[i]! - s * before[i]! + s * after[i]!
      return moved - (W[i]! + doubled * change[i]!)
    })
    expect(frobeniusNorm(errors) / frobeniusNorm(W)).toBeLessThan(1e-12)
  })
})

test('where W has less rank than is asked, the rest of the start is zero', () => {
  const W = Float32Array.from({ length: 12 }, (_, i) => (1 + Math.floor(i / 4)) * ((i % 4) - 1.5))
  const { A, B } = principalPart(W, 3, 4, 2, 1)
  product(B, A, 2).forEach((w, i) => expect(w).toBeCloseTo(W[i]!, 5))
  expect(A.subarray(4).every((a) => Math.abs(a) < 1e-3)).toBe(true)
  expect(A.every(Number.isFinite) && B.every(Number.isFinite)).toBe(true)
})

test('T2: at the start A and B both have gradients', async () => {
  const { session } = await openTiny({ method: 'pissa', methodConfig: { rank: 4 } })
  const { flat } = await session.gradients({
    tokens: Int32Array.of(3, 4, 5, 6),
    ...lanes(1, 4),
    rows: Int32Array.of(1, 2),
    labels: Int32Array.of(5, 6),
    weights: Float32Array.of(0.5, 0.5),
  })
  for (const [name, { data }] of namedViews(session.table, flat)) {
    expect(Math.max(...data.map(Math.abs)), name).toBeGreaterThan(1e-6)
  }
  await session.release()
})

test.each(['pissa', 'olora'])('%s refuses a rank that a layer cannot have', async (method) => {
  // k_proj of the tiny model is [8, 16].
  const opened = openTiny({ method, methodConfig: { rank: 9 } })
  await expect(opened).rejects.toThrow(
    'The start needs 9 directions of model.layers.0.self_attn.k_proj, which has 8.',
  )
  const spared = { rank: 9, rankPattern: ['k_proj=8', 'v_proj=8'] }
  const { session } = await openTiny({ method, methodConfig: spared })
  expect(session.table.slices.find(({ name }) => name.includes('k_proj'))!.shape[0]).toBe(8)
  await session.release()
})
