import { describe, expect, test } from 'vitest'
import type { Matrix } from '../../../../evals/spectra/decomposition/matrix.ts'
import { vector } from '../../../../evals/spectra/decomposition/matrix.ts'
import {
  leadingLeft,
  lowRankSingularValues,
  singularValues,
} from '../../../../evals/spectra/decomposition/partial-svd.ts'
import { leftSingular } from '../../../../evals/spectra/decomposition/svd.ts'
import { gaussian, matrix, multiply, orthonormalityError } from '../fixtures.ts'

/** U diag(σ) Vᵀ with random orthonormal U and V. */
function withSpectrum(rows: number, columns: number, σ: number[], seed: number): Matrix {
  const U = leftSingular(gaussian(rows, σ.length, seed)).left
  const V = leftSingular(gaussian(columns, σ.length, seed + 1)).left
  const data = new Float64Array(rows * columns)
  σ.forEach((value, l) => {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        data[i * columns + j]! += value * vector(U, l)[i]! * vector(V, l)[j]!
      }
    }
  })
  return { rows, columns, data }
}

const SHAPES: [number, number][] = [
  [1, 1],
  [1, 9],
  [9, 1],
  [2, 2],
  [24, 40],
  [40, 24],
  [96, 96],
  [150, 60],
]

describe('leadingLeft', () => {
  test.each(SHAPES)('%i × %i: the first vectors of the full decomposition', (rows, columns) => {
    const W = gaussian(rows, columns, 100 * rows + columns)
    const full = leftSingular(W)
    const leading = leadingLeft(W, 10)
    expect(leading.rank).toBe(Math.min(10, rows, columns))
    expect(orthonormalityError(leading.left)).toBeLessThan(1e-10)
    leading.singularValues.forEach((σ, j) => {
      expect(Math.abs(σ / full.singularValues[j]! - 1)).toBeLessThan(1e-10)
      const [u, v] = [vector(leading.left, j), vector(full.left, j)]
      expect(Math.abs(u.reduce((sum, x, t) => sum + x * v[t]!, 0))).toBeCloseTo(1, 9)
    })
  })

  test.each([
    [20, 30],
    [30, 20],
  ])('%i × %i: equal singular values still get orthonormal vectors of W', (rows, columns) => {
    const σ = [3, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1]
    const W = withSpectrum(rows, columns, σ, 5)
    const { left, singularValues: found } = leadingLeft(W, 10)
    expect(orthonormalityError(left)).toBeLessThan(1e-10)
    found.forEach((value, j) => expect(value).toBeCloseTo(σ[j]!, 10))
    for (let j = 0; j < left.count; j++) {
      const image = new Float64Array(columns)
      vector(left, j).forEach((x, i) => {
        for (let t = 0; t < columns; t++) image[t]! += x * W.data[i * columns + t]!
      })
      expect(Math.hypot(...image)).toBeCloseTo(σ[j]!, 9)
    }
  })

  test('diagonal, blocks and identity, where the tridiagonal form falls apart', () => {
    const diagonal = matrix([
      [1, 0, 0, 0],
      [0, 7, 0, 0],
      [0, 0, 7, 0],
      [0, 0, 0, 2],
    ])
    const { left, singularValues: σ } = leadingLeft(diagonal, 4)
    expect(orthonormalityError(left)).toBeLessThan(1e-12)
    ;[7, 7, 2, 1].forEach((value, j) => expect(σ[j]).toBeCloseTo(value, 12))
  })

  test('a steep or lost rank is seen, and only what W has is given', () => {
    const low = multiply(gaussian(30, 3, 1), gaussian(3, 20, 2))
    expect(leadingLeft(low, 10)).toMatchObject({ rank: 3, left: { count: 3, dimension: 30 } })
    const steep = withSpectrum(20, 20, [1, 1e-4, 1e-8], 3)
    const { left, singularValues: σ } = leadingLeft(steep, 3)
    expect(orthonormalityError(left)).toBeLessThan(1e-10)
    ;[1, 1e-4, 1e-8].forEach((value, j) => expect(Math.abs(σ[j]! - value)).toBeLessThan(1e-14))
    expect(leadingLeft({ rows: 4, columns: 6, data: new Float64Array(24) }, 3).rank).toBe(0)
  })
})

describe('singularValues', () => {
  test('elements whose squares are subnormal beside a 1', () => {
    const almostIdentity = matrix([
      [1, 0, 1e-160],
      [0, 1, 1e-160],
      [0, 0, 1],
    ])
    expect([...singularValues(almostIdentity)]).toEqual([1, 1, 1])
  })

  test.each(SHAPES)('%i × %i: as the full decomposition has them', (rows, columns) => {
    const W = gaussian(rows, columns, 7 * rows + columns)
    const full = leftSingular(W).singularValues
    const found = singularValues(W)
    expect(found).toHaveLength(full.length)
    found.forEach((σ, j) => expect(Math.abs(σ - full[j]!)).toBeLessThan(1e-9 * full[0]!))
  })

  test.each([
    [40, 60],
    [60, 40],
  ])('%i × %i: a spectrum over twelve decades', (rows, columns) => {
    const wanted = Array.from({ length: 40 }, (_, j) => 10 ** (-0.3 * j))
    const found = singularValues(withSpectrum(rows, columns, wanted, 8))
    wanted.forEach((value, j) => expect(Math.abs(found[j]! - value)).toBeLessThan(1e-12))
  })

  test('a merged adapter: eight directions over the rounding of float32', () => {
    const [large, small] = [Array<number>(8).fill(1), Array<number>(92).fill(3e-8)]
    const wanted = [...large.map((x, j) => x / (j + 1)), ...small.map((x, j) => x / (j + 1))]
    const found = singularValues(withSpectrum(100, 120, wanted, 9))
    wanted.forEach((value, j) => expect(Math.abs(found[j]! - value)).toBeLessThan(1e-13))
  })

  test('more directions than inverse iteration is asked for', () => {
    const wanted = [...Array.from({ length: 80 }, (_, j) => 1 + j / 80).reverse(), 1e-9, 1e-10]
    const found = singularValues(withSpectrum(100, 110, wanted, 10))
    wanted.forEach((value, j) => expect(Math.abs(found[j]! - value)).toBeLessThan(1e-13))
    expect(found.subarray(82).every((σ) => σ === 0)).toBe(true)
  })

  test('zero, and NaN', () => {
    const zero = { rows: 2, columns: 3, data: new Float64Array(6) }
    expect(Array.from(singularValues(zero))).toEqual([0, 0])
    const bad = { ...zero, data: Float64Array.of(0, NaN, 0, 0, 0, 0) }
    const notFinite = expect.objectContaining({ code: 'spectrum.not-finite' }) as Error
    expect(() => singularValues(bad)).toThrow(notFinite)
    expect(() => leadingLeft(bad, 2)).toThrow(notFinite)
  })
})

describe('lowRankSingularValues', () => {
  test.each([
    [30, 50, 4],
    [50, 30, 4],
    [6, 5, 8],
    [5, 1, 3],
  ])('%i × %i by rank %i: those of the product', (rows, columns, rank) => {
    const [B, A] = [gaussian(rows, rank, 1), gaussian(rank, columns, 2)]
    const found = lowRankSingularValues({ B: B.data, A: A.data, rank, scale: -0.5 })
    const whole = singularValues(multiply(B, A))
    for (let j = 0; j < whole.length; j++) {
      expect(Math.abs((found[j] ?? 0) - whole[j]! / 2)).toBeLessThan(1e-9 * whole[0]!)
    }
  })

  test('an adapter that was never trained (B = 0) has only zeros', () => {
    const change = { B: new Float32Array(12), A: Float32Array.of(1, 2, 3, 4), rank: 2, scale: 1 }
    expect(lowRankSingularValues(change).every((σ) => σ === 0)).toBe(true)
  })
})
