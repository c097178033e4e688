/** @file Eigenvalues and eigenvectors of a symmetric matrix: G = Rᵀ diag(λ) R, the largest λ first. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'

/** λ descending `[p]`, and the eigenvectors as rows `[p, p]`. */
export type Eigen = { values: Float64Array; vectors: Float64Array }

/** The full decomposition of G `[p, p]` (symmetric). */
export function symmetricEigen(G: Float64Array, p: number): Eigen {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    Matrix.from1DArray(p, p, G),
    { assumeSymmetric: true },
  )
  const order = realEigenvalues.map((_, i) => i)
  order.sort((i, j) => realEigenvalues[j]! - realEigenvalues[i]!)
  const vectors = new Float64Array(p * p)
  order.forEach((from, to) => vectors.set(eigenvectorMatrix.getColumn(from), to * p))
  return { values: Float64Array.from(order, (i) => realEigenvalues[i]!), vectors }
}
