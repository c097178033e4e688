/** @file Seeded matrices for the spectra tests, and plain O(n³) checks that share no code with what they check. */
import type { Matrix, Vectors } from '../../../evals/spectra/decomposition/matrix.ts'
import { leftSingular, type SingularSystem } from '../../../evals/spectra/decomposition/svd.ts'
import { fillNormal, randomStream } from '../../../evals/statistics/random.ts'

const normals = (length: number, seed: number) =>
  fillNormal(new Float64Array(length), randomStream(seed, 'test'))

export function gaussian(rows: number, columns: number, seed: number): Matrix {
  return { rows, columns, data: normals(rows * columns, seed) }
}

export function matrix(rows: number[][]): Matrix {
  return { rows: rows.length, columns: rows[0]!.length, data: Float64Array.from(rows.flat()) }
}

export function randomUnit(dimension: number, seed: number): Float64Array {
  const u = normals(dimension, seed)
  const length = Math.hypot(...u)
  return u.map((x) => x / length)
}

/** W + size · u vᵀ. */
export function withSpike(W: Matrix, size: number, u: Float64Array, v: Float64Array): Matrix {
  const data = Float64Array.from(W.data)
  for (let i = 0; i < W.rows; i++) {
    for (let j = 0; j < W.columns; j++) data[i * W.columns + j]! += size * u[i]! * v[j]!
  }
  return { ...W, data }
}

export function multiply(A: Matrix, B: Matrix): Matrix {
  const data = new Float64Array(A.rows * B.columns)
  for (let i = 0; i < A.rows; i++) {
    for (let l = 0; l < A.columns; l++) {
      for (let j = 0; j < B.columns; j++) {
        data[i * B.columns + j]! += A.data[i * A.columns + l]! * B.data[l * B.columns + j]!
      }
    }
  }
  return { rows: A.rows, columns: B.columns, data }
}

/** A weight with these singular values, between random directions. */
export function withSpectrum(rows: number, columns: number, σ: readonly number[]): Matrix {
  const left = leftSingular(gaussian(rows, σ.length, 21)).left
  const right = leftSingular(gaussian(columns, σ.length, 22)).left
  const data = new Float64Array(rows * columns)
  for (const [l, value] of σ.entries()) {
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        data[i * columns + j]! += value * left.data[l * rows + i]! * right.data[l * columns + j]!
      }
    }
  }
  return { rows, columns, data }
}

/** max |⟨x_i, x_j⟩ − δ_ij|. */
export function orthonormalityError({ data, dimension, count }: Vectors): number {
  let worst = 0
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let product = i === j ? -1 : 0
      for (let t = 0; t < dimension; t++) {
        product += data[i * dimension + t]! * data[j * dimension + t]!
      }
      worst = Math.max(worst, Math.abs(product))
    }
  }
  return worst
}

/** ‖W − U Σ Vᵀ‖_F / ‖W‖_F. */
export function residual(W: Matrix, { left, singularValues, right }: SingularSystem): number {
  let [error, size] = [0, 0]
  for (let i = 0; i < W.rows; i++) {
    for (let j = 0; j < W.columns; j++) {
      let difference = W.data[i * W.columns + j]!
      size += difference ** 2
      singularValues.forEach((σ, l) => {
        difference -= σ * left.data[l * W.rows + i]! * right!.data[l * W.columns + j]!
      })
      error += difference ** 2
    }
  }
  return Math.sqrt(error / size)
}
