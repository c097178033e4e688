/** @file DoRA (docs/methods/dora-allora.md): magnitude and direction by hand. */
import { describe, expect, test } from 'vitest'
import { findMethod } from '../../../../evals/finetune/registry.ts'
import { adaptedWeights } from '../../../../evals/models/weights/tuned-weights.ts'
import { layerByHand, rowsOf } from '../../../doubles/training/one-layer.ts'
import { openTiny } from '../../../doubles/training/tiny-training.ts'

const dora = findMethod('dora')
const CONFIG = { rank: 1, alpha: 0.5 }
const W = [
  [1, 2, 0],
  [0, 1, -1],
]
const A = [[1, 0, 1]]
const B = [[2], [-1]]
const magnitude = [Math.sqrt(5), Math.SQRT2]
const layer = (parameters: object) => ({
  W,
  x: [1, -1, 2],
  parameters: {
    'lora_A.weight': A,
    'lora_B.weight': B,
    lora_magnitude_vector: magnitude,
    ...parameters,
  },
})
const lengths = (merged: number[]) => rowsOf(merged, 3).map((row) => Math.hypot(...row))

describe('DoRA', () => {
  test('T1: without an update W′ is W', async () => {
    const { merged } = await layerByHand(dora, CONFIG, layer({ 'lora_B.weight': [[0], [0]] }))
    merged.forEach((w, i) => expect(w).toBeCloseTo(W.flat()[i]!, 14))
  })

  test('T2, T3: rows have the magnitude’s length, whatever B’s scale', async () => {
    for (const factor of [1, -3, 1e3]) {
      const scaled = B.map(([b]) => [b! * factor])
      const { merged } = await layerByHand(dora, CONFIG, layer({ 'lora_B.weight': scaled }))
      lengths(merged).forEach((length, i) => expect(length).toBeCloseTo(magnitude[i]!, 13))
    }
  })

  test('T4: a layer by hand', async () => {
    const { merged, y } = await layerByHand(dora, CONFIG, layer({}))
    const expected = [1.490712, 1.490712, 0.745356, -0.377964, 0.755929, -1.133893]
    expected.forEach((w, i) => expect(merged[i]).toBeCloseTo(w, 6))
    expect(y[0]).toBeCloseTo(1.490712, 6)
    expect(y[1]).toBeCloseTo(-3.40168, 5)
  })

  test('the gradient takes ρ for a constant: the adapter sees row i of G times m_i/ρ_i', async () => {
    const G = [
      [1, 0, 2],
      [0, -1, 1],
    ]
    const { gradient } = await layerByHand(dora, CONFIG, { ...layer({}), G })
    // V = W + 0.5·B·A, ρ its row norms.
    const V = [
      [2, 2, 1],
      [-0.5, 1, -1.5],
    ]
    const ρ = V.map((row) => Math.hypot(...row))
    const seen = G.map((row, i) => row.map((d) => (d * magnitude[i]!) / ρ[i]!))
    const dB = seen.map((row) => 0.5 * (row[0]! + row[2]!))
    const dA = [0, 1, 2].map((j) => 0.5 * (2 * seen[0]![j]! - seen[1]![j]!))
    const dm = G.map((row, i) => row.reduce((sum, d, j) => sum + d * V[i]![j]!, 0) / ρ[i]!)
    gradient('lora_B.weight').forEach((d, i) => expect(d).toBeCloseTo(dB[i]!, 13))
    gradient('lora_A.weight').forEach((d, i) => expect(d).toBeCloseTo(dA[i]!, 13))
    gradient('lora_magnitude_vector').forEach((d, i) => expect(d).toBeCloseTo(dm[i]!, 13))
  })

  test('merged outside the graph it is the same, and no low-rank change', () => {
    const tensors = new Map([
      ['l.lora_A.weight', { shape: [1, 3], data: Float32Array.from(A.flat()) }],
      ['l.lora_B.weight', { shape: [2, 1], data: Float32Array.from(B.flat()) }],
      ['l.lora_magnitude_vector', { shape: [2], data: Float32Array.from(magnitude) }],
    ])
    const config = { base: '', targetModules: ['l'], ...CONFIG, useDora: true }
    const base = new Map([['l.weight', Float32Array.from(W.flat())]])
    const tuned = adaptedWeights(base, { config, tensors }, 'adapter')
    const expected = [1.490712, 1.490712, 0.745356, -0.377964, 0.755929, -1.133893]
    tuned.read('l.weight').forEach((w, i) => expect(w).toBeCloseTo(expected[i]!, 6))
    expect(tuned.change('l.weight')).toBeUndefined()
  })

  test('magnitudes begin as the base’s row norms', async () => {
    const { session } = await openTiny({ method: 'dora' })
    let layers = 0
    for (const { name, start, end } of session.table.slices) {
      if (!name.endsWith('.lora_magnitude_vector')) continue
      layers++
      const W = session.weights.get(name.replace('lora_magnitude_vector', 'weight'))!
      const columns = W.length / (end - start)
      rowsOf([...W], columns).forEach((row, i) => {
        expect(session.parameters[start + i]).toBeCloseTo(Math.hypot(...row), 6)
      })
    }
    expect(layers).toBe(14)
    await session.release()
  })
})
