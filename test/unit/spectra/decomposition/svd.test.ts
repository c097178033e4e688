import { describe, expect, test } from 'vitest'
import {
  apply,
  applyTransposed,
  gram,
  transposed,
  type Matrix,
} from '../../../../evals/spectra/decomposition/matrix.ts'
import { survivesSquaring } from '../../../../evals/spectra/decomposition/squaring.ts'
import { decomposed, leftSingular } from '../../../../evals/spectra/decomposition/svd.ts'
import { symmetricEigen } from '../../../../evals/spectra/decomposition/symmetric-eigen.ts'
import {
  gaussian,
  matrix,
  multiply,
  orthonormalityError,
  residual,
  withSpectrum,
} from '../fixtures.ts'
import { fc } from '../../../doubles/properties.ts'

function expectSingularSystem(W: Matrix) {
  const system = leftSingular(W, { right: true })
  const count = Math.min(W.rows, W.columns)
  expect([system.left.dimension, system.left.count]).toEqual([W.rows, count])
  expect([system.right!.dimension, system.right!.count]).toEqual([W.columns, count])
  expect(orthonormalityError(system.left)).toBeLessThan(1e-10)
  expect(orthonormalityError(system.right!)).toBeLessThan(1e-10)
  expect(residual(W, system)).toBeLessThan(1e-10)
  const σ = Array.from(system.singularValues)
  expect(σ).toEqual(σ.toSorted((a, b) => b - a))
  return system
}

describe('leftSingular', () => {
  test.each([
    [1, 1],
    [1, 7],
    [7, 1],
    [2, 3],
    [5, 5],
    [24, 40],
    [40, 24],
    [67, 131],
    [131, 67],
    [96, 300],
    [300, 96],
  ])('%i × %i Gaussian', (rows, columns) => {
    const system = expectSingularSystem(gaussian(rows, columns, rows * 1000 + columns))
    expect(system.rank).toBe(Math.min(rows, columns))
  })

  test('float32 input is measured in float64', () => {
    const { rows, columns, data } = gaussian(20, 30, 5)
    expectSingularSystem({ rows, columns, data: Float32Array.from(data) })
  })

  test.each([
    [30, 50],
    [50, 30],
    [40, 40],
  ])('%i × %i of rank 4 still has a whole orthonormal basis', (rows, columns) => {
    const W = multiply(gaussian(rows, 4, 1), gaussian(4, columns, 2))
    const { rank, singularValues: σ } = expectSingularSystem(W)
    expect(rank).toBe(4)
    expect(Array.from(σ.subarray(4)).every((value) => value === 0)).toBe(true)
  })

  test.each([
    [16, 30],
    [30, 16],
  ])('%i × %i with σ down to 1e-12 keeps σ that squaring would lose', (rows, columns) => {
    const left = leftSingular(gaussian(rows, 16, 3)).left
    const right = leftSingular(gaussian(columns, 16, 4)).left
    const wanted = Array.from({ length: 16 }, (_, j) => 10 ** (-0.8 * j))
    const W: Matrix = { rows, columns, data: new Float64Array(rows * columns) }
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        W.data[i * columns + j] = wanted.reduce(
          (sum, σ, l) => sum + σ * left.data[l * rows + i]! * right.data[l * columns + j]!,
          0,
        )
      }
    }
    const { singularValues: σ } = expectSingularSystem(W)
    // W itself is only known to rounding, 1e-16 σ₁.
    wanted.forEach((value, j) => expect(Math.abs(σ[j]! - value)).toBeLessThan(1e-15))
  })

  test.each([
    [60, 90],
    [90, 60],
    [60, 60],
  ])(
    '%i × %i with σ over five orders is sharpened by products, without Jacobi',
    (rows, columns) => {
      const wanted = Array.from({ length: 60 }, (_, j) => 10 ** ((-5 * j) / 59))
      const W = withSpectrum(rows, columns, wanted)
      const T = rows <= columns ? W.data : transposed(W.data as Float64Array, rows, columns)
      const { values, vectors } = symmetricEigen(
        gram(T as Float64Array, 60, columns + rows - 60),
        60,
      )
      const turn = {
        into: (x: Float64Array) => apply(vectors, x, 60),
        from: (x: Float64Array) => applyTransposed(vectors, x, 60),
      }
      const squared = values.map(Math.sqrt)
      expect(survivesSquaring(T as Float64Array, squared, turn, 1e-8)).toBe(false)
      expect(decomposed(W, 'W').isExact).toBe(true)
      const { singularValues: σ } = expectSingularSystem(W)
      wanted.forEach((value, j) => expect(Math.abs(σ[j]! - value)).toBeLessThan(1e-14))
    },
  )

  test('equal singular values, equal rows, zero rows and columns', () => {
    expectSingularSystem(
      matrix([
        [3, 0, 0],
        [0, 3, 0],
        [0, 0, 3],
      ]),
    )
    expectSingularSystem(
      matrix([
        [1, 2, 3],
        [1, 2, 3],
        [0, 0, 0],
        [1, 2, 3],
      ]),
    )
    expectSingularSystem(
      matrix([
        [0, 0, 5, 0],
        [0, 0, 0, 0],
      ]),
    )
  })

  test('a known case by hand: [[3, 0], [4, 5]] has σ = √45, √5', () => {
    const { singularValues: σ, left } = expectSingularSystem(
      matrix([
        [3, 0],
        [4, 5],
      ]),
    )
    expect(σ[0]).toBeCloseTo(Math.sqrt(45), 12)
    expect(σ[1]).toBeCloseTo(Math.sqrt(5), 12)
    expect(Math.abs(left.data[0]!)).toBeCloseTo(1 / Math.sqrt(10), 12)
  })

  test('the zero matrix has σ = 0, rank 0 and a basis all the same', () => {
    const system = leftSingular(
      { rows: 3, columns: 5, data: new Float64Array(15) },
      { right: true },
    )
    expect(Array.from(system.singularValues)).toEqual([0, 0, 0])
    expect(system.rank).toBe(0)
    expect(orthonormalityError(system.left)).toBe(0)
    expect(orthonormalityError(system.right!)).toBe(0)
  })

  test.each([1e-300, 1e-160, 1e160, 1e300])(
    'numbers of size %d neither vanish nor overflow',
    (size) => {
      const W = gaussian(6, 9, 8)
      const scaled = leftSingular({ ...W, data: W.data.map((x) => x * size) })
      const plain = leftSingular(W)
      plain.singularValues.forEach((σ, j) => {
        expect(scaled.singularValues[j]! / size / σ).toBeCloseTo(1, 12)
      })
      expect(orthonormalityError(scaled.left)).toBeLessThan(1e-10)
    },
  )

  test.each([
    ['NaN', NaN],
    ['Infinity', Infinity],
    ['-Infinity', -Infinity],
  ])('%s is named with its place', (found, value) => {
    const W = gaussian(3, 4, 1)
    W.data[6] = value
    expect(() => leftSingular(W, { weight: 'q_proj' })).toThrow(
      expect.objectContaining({ code: 'spectrum.not-finite' }),
    )
    expect(() => leftSingular(W, { weight: 'q_proj' })).toThrow(
      `"q_proj" holds ${found} at row 1, column 2`,
    )
  })

  test('a matrix whose numbers do not fill its shape is our own bug', () => {
    expect(() => leftSingular({ rows: 2, columns: 3, data: new Float64Array(5) })).toThrow(
      'internal:',
    )
    expect(() => leftSingular({ rows: 0, columns: 3, data: new Float64Array(0) })).toThrow(
      'internal:',
    )
  })

  test('law: any small integer matrix, of any rank', () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
    const matrices = sizes.chain(([rows, columns]) =>
      fc
        .array(fc.integer({ min: -2, max: 2 }), {
          minLength: rows * columns,
          maxLength: rows * columns,
        })
        .filter((numbers) => numbers.some((x) => x !== 0))
        .map((numbers) => ({ rows, columns, data: Float64Array.from(numbers) })),
    )
    fc.assert(
      fc.property(matrices, (W) => {
        expectSingularSystem(W)
      }),
      { numRuns: 200, seed: 7 },
    )
  })
})
