/** @file A basis given by its vectors: the reference for `baseDirections`. */
import type { Basis } from '../../../evals/spectra/basis.ts'
import { dot, vector, type Vectors } from '../../../evals/spectra/decomposition/matrix.ts'

export function explicitBasis(left: Vectors): Basis {
  const { count, dimension, data } = left
  const cosinesOf = (u: Float64Array) =>
    Float64Array.from({ length: count }, (_, i) =>
      Math.abs(dot(u, 0, data, i * dimension, dimension)),
    )
  return {
    count,
    cosines: (vectors) =>
      Array.from({ length: vectors.count }, (_, j) => cosinesOf(vector(vectors, j))),
  }
}
