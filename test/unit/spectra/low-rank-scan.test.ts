/** @file The scan in the base's singular basis, against the definition: two full SVDs and every cosine. */
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { spectralMatrices } from '../../../evals/measure/arm-spectra.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { baseDirections } from '../../../evals/spectra/basis.ts'
import { explicitBasis } from '../../doubles/statistics/explicit-basis.ts'
import { compareWeight } from '../../doubles/compare-weight.ts'
import { findIntruders } from '../../../evals/spectra/intruders.ts'
import {
  countAbove,
  inSingularBasis,
  leadingOfUpdate,
} from '../../../evals/spectra/low-rank-scan.ts'
import type { Matrix } from '../../../evals/spectra/decomposition/matrix.ts'
import type * as MatrixModule from '../../../evals/spectra/decomposition/matrix.ts'
import { frobeniusNorm } from '../../../evals/spectra/measures.ts'
import type { LowRankChange } from '../../../evals/spectra/decomposition/partial-svd.ts'
import { leftSingular } from '../../../evals/spectra/decomposition/svd.ts'
import type * as SymmetricEigen from '../../../evals/spectra/decomposition/symmetric-eigen.ts'
import { gaussian, multiply, withSpectrum } from './fixtures.ts'

/** Multiply-adds asked of the dense routines, and of the eigensolver (p³). */
const work = vi.hoisted(() => ({ multiplyAdds: 0, eigenSides: [] as number[] }))

vi.mock('../../../evals/spectra/decomposition/matrix.ts', async (original) => {
  const real = await original<typeof MatrixModule>()
  return {
    ...real,
    rowProducts: (...args: Parameters<typeof real.rowProducts>) => {
      work.multiplyAdds += args[1] * args[3] * args[4]
      return real.rowProducts(...args)
    },
    gram: (...args: Parameters<typeof real.gram>) => {
      work.multiplyAdds += args[1] ** 2 * args[2]
      return real.gram(...args)
    },
    dot: (...args: Parameters<typeof real.dot>) => {
      work.multiplyAdds += args[4]
      return real.dot(...args)
    },
    addMultiple: (...args: Parameters<typeof real.addMultiple>) => {
      work.multiplyAdds += args[5]
      real.addMultiple(...args)
    },
    applyInto: (...args: Parameters<typeof real.applyInto>) => {
      work.multiplyAdds += args[2].length * args[3]
      return real.applyInto(...args)
    },
    addRows: (...args: Parameters<typeof real.addRows>) => {
      work.multiplyAdds += args[0].length * args[4]
      real.addRows(...args)
    },
  }
})
vi.mock('../../../evals/spectra/decomposition/symmetric-eigen.ts', async (original) => {
  const real = await original<typeof SymmetricEigen>()
  return {
    symmetricEigen: (G: Float64Array, p: number) => {
      work.eigenSides.push(p)
      return real.symmetricEigen(G, p)
    },
  }
})

const K = 10

const update = (m: number, n: number, rank: number, scale: number, seed = 7): LowRankChange => ({
  B: gaussian(m, rank, seed).data,
  A: gaussian(rank, n, seed + 1).data,
  rank,
  scale,
})

function updated(W: Matrix, { B, A, rank, scale }: LowRankChange): Matrix {
  const change = multiply(
    { rows: W.rows, columns: rank, data: B },
    { rows: rank, columns: W.columns, data: A },
  ).data
  return { ...W, data: Float64Array.from(W.data, (x, i) => x + scale * change[i]!) }
}

/** By the definition, sharing nothing with the scan but the full decomposition. */
function definition(W0: Matrix, W1: Matrix) {
  return findIntruders(explicitBasis(leftSingular(W0).left), leftSingular(W1), { k: K })
}

function expectDefinition(W0: Matrix, change: LowRankChange) {
  const found = leadingOfUpdate(baseDirections(W0), change, K)
  const W1 = updated(W0, change)
  const wanted = definition(W0, W1)
  expect(found).toBeDefined()
  const size = wanted.singularValues[0]!
  wanted.singularValues.forEach((σ, j) => {
    expect(Math.abs(found!.singularValues[j]! - σ)).toBeLessThan(1e-9 * size)
    expect(Math.abs(Math.max(...found!.cosines[j]!) - wanted.alignment[j]!)).toBeLessThan(1e-6)
  })
  expect(found!.energy / frobeniusNorm(W1.data) ** 2).toBeCloseTo(1, 9)
}

/** ‖ΔW‖_F = share · ‖W0‖_F. */
function sized(W0: Matrix, change: LowRankChange, share: number): LowRankChange {
  const zero = { ...W0, data: new Float64Array(W0.data.length) }
  const size = frobeniusNorm(updated(zero, { ...change, scale: 1 }).data)
  return { ...change, scale: (share * frobeniusNorm(W0.data)) / size }
}

describe('leadingOfUpdate', () => {
  test('Pebble: all 42 matrices, ranks 1, 4 and 16, a small and a large change', async () => {
    const model = await loadModel(join(import.meta.dirname, '../../../evals/bundled/pebble'))
    const matrices = spectralMatrices(model)
    expect(matrices).toHaveLength(42)
    matrices.forEach(({ weight, shape: [rows, columns] }, at) => {
      const W0 = { rows, columns, data: Float64Array.from(model.weights.get(weight)!) }
      const rank = [1, 4, 16][at % 3]!
      const change = sized(W0, update(rows, columns, rank, 1, at), at % 2 === 0 ? 0.05 : 0.6)
      expectDefinition(W0, change)
    })
    await model.open.close()
  })

  test.each([
    [64, 64, 4],
    [48, 130, 8],
    [130, 48, 8],
    [33, 34, 1],
    [200, 90, 12],
  ])('%i × %i, rank %i: a random base', (rows, columns, rank) => {
    expectDefinition(gaussian(rows, columns, 5), update(rows, columns, rank, 0.8))
  })

  test('clustered spectra: pairs a ten-thousandth and a hundred-thousandth apart, and a steep fall', () => {
    const pairs = Array.from({ length: 60 }, (_, i) => 10 - (i >> 1) * 0.3 - (i % 2) * 1e-3)
    expectDefinition(withSpectrum(60, 80, pairs), update(60, 80, 3, 0.2))
    const near = Array.from({ length: 60 }, (_, i) => 10 - (i >> 1) * 0.3 - (i % 2) * 1e-4)
    expectDefinition(withSpectrum(80, 60, near), update(80, 60, 2, 0.001))
    const steep = Array.from({ length: 60 }, (_, i) => 10 * 0.85 ** i)
    expectDefinition(withSpectrum(80, 60, steep), update(80, 60, 3, 0.05))
  })

  test('a base that lost rank: its arbitrary directions are the same on both sides', () => {
    const W0 = multiply(gaussian(50, 25, 1), gaussian(25, 70, 2))
    expectDefinition(W0, update(50, 70, 4, 2))
  })

  test('no change: every direction is its own', () => {
    const found = leadingOfUpdate(baseDirections(gaussian(40, 60, 1)), update(40, 60, 2, 0), K)
    found!.cosines.forEach((cosines, j) => expect(cosines[j]).toBeCloseTo(1, 9))
  })

  test('tied, repeated, faint or missing directions and large ranks are left to the full decomposition', () => {
    const quick = (W0: Matrix, change: LowRankChange) =>
      leadingOfUpdate(baseDirections(W0), change, K)
    const repeated = withSpectrum(
      60,
      60,
      Array.from({ length: 60 }, (_, i) => 9 - (i >> 2)),
    )
    expect(quick(repeated, update(60, 60, 1, 0.1))).toBeUndefined()
    const faint = withSpectrum(
      60,
      60,
      Array.from({ length: 60 }, (_, i) => (i < 5 ? 9 - i : 1e-9)),
    )
    expect(quick(faint, update(60, 60, 2, 0.1))).toBeUndefined()
    const zero = { rows: 60, columns: 60, data: new Float64Array(3600) }
    expect(quick(zero, update(60, 60, 2, 1))).toBeUndefined()
    const W0 = gaussian(60, 60, 1)
    expect(quick(W0, update(60, 60, 31, 1))).toBeUndefined()
    const broken = { ...update(60, 60, 2, 1), B: new Float64Array(120).fill(NaN) }
    expect(quick(W0, broken)).toBeUndefined()
  })

  test('where it declines, the row is the full one', () => {
    const W0 = withSpectrum(
      60,
      60,
      Array.from({ length: 60 }, (_, i) => 9 - (i >> 2)),
    )
    const change = update(60, 60, 1, 0.1)
    const place = { layer: 0, module: 'q_proj', weight: 'q', shape: [60, 60] as [number, number] }
    const request = {
      ...place,
      key: { arm: 'a', seed: 0, step: 0 },
      W0: W0.data,
      W1: updated(W0, change).data,
    }
    const quick = compareWeight({ ...request, change, detail: 'leading' })
    const full = compareWeight({ ...request, detail: 'leading' })
    expect(quick.alignment).toEqual(full.alignment)
  })

  test('countAbove agrees with the spectrum at every place between two σ', () => {
    for (const [rows, columns] of [
      [30, 30],
      [30, 44],
      [44, 30],
    ] as const) {
      const [W0, change] = [gaussian(rows, columns, 3), update(rows, columns, 3, 0.7)]
      const σ = leftSingular(updated(W0, change)).singularValues
      const M = inSingularBasis(baseDirections(W0), change)
      for (let j = 0; j + 1 < σ.length; j++) {
        expect(countAbove(M, (σ[j]! + σ[j + 1]!) / 2)).toBe(j + 1)
      }
    }
  })
})

describe('cost of one checkpoint', () => {
  const RANK = 4
  function spent(side: number) {
    const base = baseDirections(gaussian(side, side, 1))
    const change = update(side, side, RANK, 0.5)
    work.multiplyAdds = 0
    work.eigenSides.length = 0
    expect(leadingOfUpdate(base, change, K)).toBeDefined()
    return { multiplyAdds: work.multiplyAdds, largestEigen: Math.max(...work.eigenSides) }
  }

  test('no cubic term: 2n²r to project, the rest grows more slowly, no eigenproblem beyond 2r', () => {
    const [small, middle, large] = [96, 192, 384].map(spent)
    // A cubic term, however small its factor here, would make the growth of growth 8.
    const growth =
      (large!.multiplyAdds - middle!.multiplyAdds) / (middle!.multiplyAdds - small!.multiplyAdds)
    expect(growth).toBeLessThan(4)
    // A tenth of one n³ product, at the size where n³ would show.
    expect(large!.multiplyAdds).toBeLessThan(0.25 * 384 ** 3)
    expect(large!.largestEigen).toBe(2 * RANK)
  })
})
