/** @file Counts that chance gives: they hold those of pure noise of any rank and shape, and not those of directions that avoid the base's. */
import { describe, expect, test } from 'vitest'
import { spectrumTotals } from '../../../evals/findings/results.ts'
import { baseDirections } from '../../../evals/spectra/basis.ts'
import { rowOf } from '../../../evals/spectra/compare.ts'
import { leftSingular } from '../../../evals/spectra/decomposition/svd.ts'
import { measured } from '../../../evals/spectra/measuring.ts'
import { NULL_DRAWS, nullCounts } from '../../../evals/spectra/null-counts.ts'
import { compareWeight } from '../../doubles/compare-weight.ts'
import { gaussian, multiply, withSpectrum, withSpike } from './fixtures.ts'

type Matrix = ReturnType<typeof gaussian>
const SEEDS = Array.from({ length: 40 }, (_, seed) => seed)
const SHAPES: [number, number][] = [
  [32, 32],
  [40, 16],
  [16, 40],
]
const MATRICES = [0, 1]

/** The row of W0 + a change of `size` times the base's norm, with its null counts. */
function rowFor(W0: Matrix, G: Matrix, size: number, seed: number, weight: string) {
  const factor = (size * Math.hypot(...W0.data)) / Math.hypot(...G.data)
  const W1 = Float64Array.from(W0.data, (x, i) => x + factor * G.data[i]!)
  const shape: [number, number] = [W0.rows, W0.columns]
  const chance = { draws: NULL_DRAWS, epsilon: 0.5, seed }
  const task = { weight, shape, k: 10, W1, chance }
  const place = { layer: 0, module: 'q_proj', weight, shape }
  const key = { arm: 'noise', seed, step: 1 }
  return rowOf({ ...place, key }, measured(task, W0.data, baseDirections(W0))!)
}

describe.each(SHAPES)('noise in %i × %i', (m, n) => {
  test.each([1, 4, Math.min(m, n)])('of rank %i: chance holds the count of 19 in 20', (rank) => {
    const totals = SEEDS.map((seed) => {
      const rows = MATRICES.map((at) => {
        const [W0, own] = [gaussian(m, n, 7 + at), 1000 * (seed + 1) + 10 * at]
        const G =
          rank === Math.min(m, n)
            ? gaussian(m, n, own)
            : multiply(gaussian(m, rank, own), gaussian(rank, n, own + 1))
        return rowFor(W0, G, 0.8, seed, `w${at}`)
      })
      return spectrumTotals(rows)[0]!
    })
    const above = totals.filter(({ intruders, chance }) => intruders > chance!.highest).length
    const surprising = totals.filter(({ chance }) => chance!.p <= 0.05).length
    expect(totals.some(({ intruders }) => intruders > 0)).toBe(true)
    // At most 1 in 20 by exchangeability, beside two standard errors of 40 seeds.
    for (const false_ of [above, surprising]) expect(false_).toBeLessThanOrEqual(2 + 3)
  })
})

test('a full-rank change counted as intruders is no finding: chance gives as many (256 × 64)', () => {
  const row = rowFor(gaussian(256, 64, 1), gaussian(256, 64, 2), 0.8, 1, 'w')
  expect(row.intruders).toBeGreaterThan(0)
  expect(Math.max(...row.details!.nullIntruders!)).toBeGreaterThanOrEqual(row.intruders)
})

test('real intruders are found: new directions outside the leading ones, where chance would mix them', () => {
  const σ = Array.from({ length: 64 }, (_, j) => (j + 1) ** -0.7)
  const rows = [0, 1, 2, 3, 4, 5].map((at) => {
    const W0 = withSpectrum(64, 64, σ)
    const { left } = leftSingular(W0)
    const right = leftSingular({ ...W0, data: transposedOf(W0) }).left
    // Even shares of the trailing directions: aligned with none of them, and with no leading one.
    const spread = ({ data }: { data: Float64Array }) =>
      Float64Array.from({ length: 64 }, (_, i) =>
        Array.from({ length: 48 }, (_, j) => data[(16 + j) * 64 + i]! / Math.sqrt(48)).reduce(
          (sum, x) => sum + x,
        ),
      )
    const W1 = withSpike(W0, 0.95, spread(left), spread(right))
    const G = { ...W0, data: Float64Array.from(W1.data, (x, i) => x - W0.data[i]!) }
    return rowFor(W0, G, Math.hypot(...G.data) / Math.hypot(...W0.data), 1, `w${at}`)
  })
  const [total] = spectrumTotals(rows)
  expect(total!.intruders).toBe(6)
  expect(total!.chance!.highest).toBeLessThan(6)
  expect(total!.chance!.p).toBe(1 / 20)
})

function transposedOf({ rows, columns, data }: Matrix): Float64Array {
  return Float64Array.from(data, (_, i) => data[(i % rows) * columns + Math.floor(i / rows)]!)
}

test('a function of its arguments; 0 where nothing changed; absent in totals where a matrix has none', () => {
  const base = Float64Array.from({ length: 20 }, (_, j) => 20 - j)
  const asked = { shape: [20, 30] as const, base, k: 10, weight: 'q', draws: 9, epsilon: 0.5 }
  const change = Float64Array.of(30, 12, 5)
  const counts = nullCounts({ ...asked, change, seed: 1 })
  expect(nullCounts({ ...asked, change, seed: 1 })).toEqual(counts)
  expect(nullCounts({ ...asked, change, seed: 2 })).not.toEqual(counts)
  expect(nullCounts({ ...asked, change, seed: 1, weight: 'k' })).not.toEqual(counts)
  expect(nullCounts({ ...asked, change: Float64Array.of(0), seed: 1 })).toEqual(Array(9).fill(0))
  const [W0, G] = [gaussian(20, 30, 1), gaussian(20, 30, 2)]
  const key = { arm: 'noise', seed: 1, step: 1 }
  const place = { layer: 0, module: 'k_proj', weight: 'k', shape: [20, 30] as [number, number] }
  const without = compareWeight({ ...place, key, W0: W0.data, W1: G.data })
  expect(spectrumTotals([rowFor(W0, G, 1, 1, 'w'), without])[0]!.chance).toBeUndefined()
})
