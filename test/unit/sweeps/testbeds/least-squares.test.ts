/** @file Least squares: normal equations, the smallest norm among many solutions, and ml-matrix's own pseudo-inverse. */
import { Matrix, pseudoInverse } from 'ml-matrix'
import { describe, expect, it } from 'vitest'
import { leastSquares } from '../../../../evals/sweeps/testbeds/least-squares.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'

function problem(n: number, d: number) {
  const stream = randomStream(n * 100 + d, 'least squares')
  const X = Float64Array.from({ length: n * d }, () => stream.normal())
  return { X, y: Float64Array.from({ length: n }, () => stream.normal()) }
}

describe('leastSquares', () => {
  it.each([
    [1, 1],
    [12, 5],
    [7, 7],
    [5, 12],
    [40, 80],
    [3, 1],
    [1, 3],
  ])('%i rows, %i columns: X⁺ y', (n, d) => {
    const { X, y } = problem(n, d)
    const β = leastSquares(X, n, d, y)
    const inverse = pseudoInverse(Matrix.from1DArray(n, d, [...X]))
    const expected = inverse.mmul(Matrix.columnVector([...y])).to1DArray()
    expect(β).toHaveLength(d)
    β.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 9))
  })

  it('leaves its arguments as they are', () => {
    const { X, y } = problem(4, 6)
    const before = [X.slice(), y.slice()]
    leastSquares(X, 4, 6, y)
    expect([X, y]).toEqual(before)
  })

  it('refuses a column of zeros', () => {
    expect(() => leastSquares(new Float64Array(4), 2, 2, Float64Array.of(1, 2))).toThrow(
      'internal: least squares needs a matrix of full rank',
    )
  })
})
