/** @file The addon's functions in TypeScript: their specification, and the implementation where the addon is not built. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import type { AdamWRun, AdamWScalars, AdamWVectors, Eigen, Numerics } from './numerics.ts'
import { narrowBfloat16, narrowFloat16, widenBfloat16, widenFloat16 } from './halves.ts'
import { rowProducts } from './row-products.ts'
import { tridiagonalValues } from './sturm.ts'
import { addRows, multiply, orthogonalise } from './vector-products.ts'
import { throughWeight } from './weight-products.ts'

export const FALLBACK: Numerics = {
  name: 'typescript',
  squaredNorm: async (values) => squaredNorm(values),
  adamW: async (vectors, runs, scalars) => runs.forEach((run) => adamWRun(vectors, run, scalars)),
  widenFloat16,
  widenBfloat16,
  narrowFloat16,
  narrowBfloat16,
  rowProducts,
  multiply,
  addRows,
  throughWeight,
  orthogonalise,
  tridiagonalValues,
  symmetricEigen,
}

/** Sums in index order. */
function squaredNorm(values: Float32Array): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!
  return sum
}

/** m ← β1·m + (1−β1)·g;  v ← β2·v + (1−β2)·g²;  θ ← θ·keep − stepSize·m / (√v / rootCorrection2 + ε). */
function adamWRun(
  { parameters: p, firstMoment: m, secondMoment: v, gradient }: AdamWVectors,
  { start, end, keep, stepSize }: AdamWRun,
  { beta1, beta2, epsilon, rootCorrection2, gradientScale }: AdamWScalars,
): void {
  for (let i = start; i < end; i++) {
    const d = gradient[i]! * gradientScale
    const first = (m[i] = beta1 * m[i]! + (1 - beta1) * d)
    const second = (v[i] = beta2 * v[i]! + (1 - beta2) * d * d)
    p[i] = p[i]! * keep - (stepSize * first) / (Math.sqrt(second) / rootCorrection2 + epsilon)
  }
}

function symmetricEigen(G: Float64Array, p: number): Eigen {
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
