import { describe, expect, test } from 'vitest'
import { baseDirections } from '../../../evals/spectra/basis.ts'
import { explicitBasis } from '../../doubles/statistics/explicit-basis.ts'
import {
  transposed,
  type Matrix,
  type Vectors,
} from '../../../evals/spectra/decomposition/matrix.ts'
import { leftSingular } from '../../../evals/spectra/decomposition/svd.ts'
import { gaussian, multiply, randomUnit } from './fixtures.ts'

const probes = (dimension: number): Vectors => ({
  dimension,
  count: 3,
  data: Float64Array.from([1, 2, 3].flatMap((seed) => [...randomUnit(dimension, seed)])),
})

function expectSameCosines(W: Matrix) {
  const vectors = probes(W.rows)
  const basis = baseDirections(W)
  const wanted = explicitBasis(leftSingular(W).left).cosines(vectors)
  expect(basis.count).toBe(Math.min(W.rows, W.columns))
  basis.cosines(vectors).forEach((cosines, j) => {
    expect(cosines).toHaveLength(basis.count)
    cosines.forEach((x, i) => expect(Math.abs(x - wanted[j]![i]!)).toBeLessThan(1e-8))
  })
}

describe('baseDirections', () => {
  test.each([
    [1, 1],
    [1, 6],
    [6, 1],
    [2, 2],
    [24, 40],
    [40, 24],
    [64, 64],
    [130, 70],
    [70, 130],
  ])('%i × %i: the cosines with every column of U0, in order', (rows, columns) => {
    expectSameCosines(gaussian(rows, columns, 31 * rows + columns))
  })

  test.each([
    [30, 50],
    [50, 30],
  ])('%i × %i of rank 4: the cosines with the lost directions too', (rows, columns) => {
    const W = multiply(gaussian(rows, 4, 1), gaussian(4, columns, 2))
    const [cosines] = baseDirections(W).cosines(probes(rows))
    expect(cosines).toHaveLength(30)
    const wanted = explicitBasis(leftSingular(W).left).cosines(probes(rows))[0]!
    for (let i = 0; i < 4; i++) expect(cosines![i]).toBeCloseTo(wanted[i]!, 8)
    // In 30 dimensions 30 columns are a basis of the whole space, so that no part of u is missed.
    if (rows === 30) expect(Math.hypot(...cosines!)).toBeCloseTo(1, 10)
    else expect(Math.hypot(...cosines!)).toBeLessThan(1)
  })

  test('an ordinary weight is kept as its short side; one that lost rank as both', () => {
    const { parts } = baseDirections(gaussian(130, 70, 4))
    expect([parts.near.length, parts.far]).toEqual([70 * 70, undefined])
    const low = multiply(gaussian(130, 5, 1), gaussian(5, 70, 2))
    expect(baseDirections(low).parts.far).toHaveLength(130 * 70)
  })

  test.each([
    [70, 130, 70],
    [130, 70, 70],
    [64, 64, 64],
    [30, 50, 4],
    [50, 30, 4],
  ])('%i × %i of rank %i: U0ᵀ W0 V0 = Σ by both projections', (rows, columns, rank) => {
    const W = multiply(gaussian(rows, rank, 3), gaussian(rank, columns, 4))
    const { parts, project, count } = baseDirections(W)
    // U0ᵀ W0 `[p, columns]`, then its rows against V0.
    const turned = transposed(new Float64Array(W.data), rows, columns)
    const { left } = project(turned, new Float64Array(columns * columns), columns)
    const onLeft = transposed(left, columns, count)
    const { right: both } = project(new Float64Array(count * rows), onLeft, count)
    const largest = parts.singularValues[0]!
    both.forEach((x, at) => {
      const [i, j] = [Math.floor(at / count), at % count]
      const wanted = i === j ? parts.singularValues[i]! : 0
      expect(Math.abs(x - wanted)).toBeLessThan(1e-8 * largest)
    })
  })

  test('the whole basis of a square weight takes a unit vector to a unit vector', () => {
    for (const cosines of baseDirections(gaussian(64, 64, 3)).cosines(probes(64))) {
      expect(Math.hypot(...cosines)).toBeCloseTo(1, 12)
    }
  })

  test('zero has a basis of axes; NaN is named', () => {
    const zero = { rows: 3, columns: 4, data: new Float64Array(12) }
    const u: Vectors = { dimension: 3, count: 1, data: Float64Array.of(0, 0.6, 0.8) }
    expect(baseDirections(zero).cosines(u)).toEqual([Float64Array.of(0, 0.6, 0.8)])
    const bad = { ...zero, data: new Float64Array(12).fill(NaN) }
    expect(() => baseDirections(bad, 'up_proj')).toThrow('"up_proj" holds NaN at row 0, column 0')
  })
})
