/** @file Leading directions by products: those of the full decomposition, none missed, and no cost that grows like n³. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { spectralMatrices } from '../../../../evals/measure/arm-spectra.ts'
import { loadModel } from '../../../../evals/models/load.ts'
import { explicitBasis } from '../../../doubles/statistics/explicit-basis.ts'
import { compareWeight } from '../../../doubles/compare-weight.ts'
import { findIntruders } from '../../../../evals/spectra/intruders.ts'
import { leadingByProducts } from '../../../../evals/spectra/decomposition/leading-products.ts'
import { frobeniusNorm } from '../../../../evals/spectra/measures.ts'
import { leftSingular } from '../../../../evals/spectra/decomposition/svd.ts'
import { gaussian, withSpectrum } from '../fixtures.ts'

const K = 10
const heavyTail = (count: number) => Array.from({ length: count }, (_, i) => (i + 1) ** -0.5)

describe('leadingByProducts', () => {
  test.each([
    [150, 150],
    [120, 260],
    [260, 120],
  ])('%i × %i: the directions of the full decomposition', (rows, columns) => {
    const W = withSpectrum(rows, columns, heavyTail(Math.min(rows, columns)))
    const found = leadingByProducts(W, 4, 'W')!
    const whole = leftSingular(W)
    for (let j = 0; j < 4; j++) {
      expect(found.singularValues[j]).toBeCloseTo(whole.singularValues[j]!, 10)
      const [u, v] = [found.left.data, whole.left.data].map((data) =>
        data.subarray(j * rows, (j + 1) * rows),
      )
      expect(Math.abs(u!.reduce((sum, x, t) => sum + x * v![t]!, 0))).toBeCloseTo(1, 9)
    }
  })

  test('a σ that W has twice, of which Krylov spaces see one, is left to the decomposition', () => {
    const σ = [10, 8, 6, 6, 4, 3, ...Array.from({ length: 144 }, (_, i) => 1 / (i + 1))]
    expect(leadingByProducts(withSpectrum(150, 150, σ), 5, 'W')).toBeUndefined()
    const apart = σ.with(3, 5)
    expect(leadingByProducts(withSpectrum(150, 150, apart), 5, 'W')).toBeDefined()
  })

  test('so are small matrices, spectra without gaps, zero, and NaN is an error', () => {
    expect(leadingByProducts(gaussian(20, 20, 1), K, 'W')).toBeUndefined()
    expect(leadingByProducts(gaussian(150, 150, 1), K, 'W')).toBeUndefined()
    const zero = { rows: 150, columns: 150, data: new Float64Array(150 * 150) }
    expect(leadingByProducts(zero, 4, 'W')).toBeUndefined()
    const bad = { ...zero, data: zero.data.map((_, i) => (i === 5 ? NaN : 1)) }
    expect(() => leadingByProducts(bad, 4, 'W')).toThrow(/not a finite|NaN/)
  })
})

test('a full fine-tune of Pebble: c_j and σ_j of all 42 matrices are those of two full decompositions', async () => {
  const model = await loadModel(join(import.meta.dirname, '../../../../evals/bundled/pebble'))
  const matrices = spectralMatrices(model)
  expect(matrices).toHaveLength(42)
  matrices.forEach((place, at) => {
    const [rows, columns] = place.shape
    const W0 = { rows, columns, data: Float64Array.from(model.weights.get(place.weight)!) }
    const noise = gaussian(rows, columns, at).data
    const size = ((at % 2 === 0 ? 0.02 : 0.4) * frobeniusNorm(W0.data)) / frobeniusNorm(noise)
    const W1 = { ...W0, data: W0.data.map((x, i) => x + size * noise[i]!) }
    const key = { arm: 'full', seed: 0, step: 1 }
    const row = compareWeight({ ...place, key, W0: W0.data, W1: W1.data, detail: 'leading' })
    const wanted = findIntruders(explicitBasis(leftSingular(W0).left), leftSingular(W1), { k: K })
    expect(row.alignment).toHaveLength(K)
    wanted.alignment.forEach((c, j) => {
      expect(Math.abs(row.alignment[j]! - c)).toBeLessThan(1e-6)
      const σ = wanted.singularValues[j]!
      expect(Math.abs(row.singularValues[j]! / σ - 1)).toBeLessThan(1e-9)
    })
    expect(row.effectiveRankOfChange).toBeNull()
  })
  await model.open.close()
})
