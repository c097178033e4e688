/** @file Every function of the addon in TypeScript: the specification, and what runs where the addon is not built. */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import type { AdamWRun, AdamWScalars, AdamWVectors, Eigen, Numerics } from './numerics.ts'
import { narrowBfloat16, narrowFloat16, widenBfloat16, widenFloat16 } from './halves.ts'
import { rowProducts } from './row-products.ts'
import { addRows, multiply } from './vector-products.ts'

/** Numbers whose squares are summed by themselves before they join the others. */
export const NORM_BLOCK = 65_536
const LANES = 8

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
  symmetricEigen,
}

/** A block's x_i² go to sum i mod 8; the eight are added in pairs, and the blocks in order. */
function squaredNorm(values: Float32Array): number {
  let total = 0
  for (let start = 0; start < values.length; start += NORM_BLOCK) {
    const block = values.subarray(start, start + NORM_BLOCK)
    const whole = block.length - (block.length % LANES)
    let [s0, s1, s2, s3, s4, s5, s6, s7] = [0, 0, 0, 0, 0, 0, 0, 0]
    for (let i = 0; i < whole; i += LANES) {
      s0 += block[i]! * block[i]!
      s1 += block[i + 1]! * block[i + 1]!
      s2 += block[i + 2]! * block[i + 2]!
      s3 += block[i + 3]! * block[i + 3]!
      s4 += block[i + 4]! * block[i + 4]!
      s5 += block[i + 5]! * block[i + 5]!
      s6 += block[i + 6]! * block[i + 6]!
      s7 += block[i + 7]! * block[i + 7]!
    }
    const lanes = [s0, s1, s2, s3, s4, s5, s6, s7]
    for (let i = whole; i < block.length; i++) lanes[i - whole]! += block[i]! * block[i]!
    const [a, b, c, d, e, f, g, h] = lanes as [number, number, number, number, number, number, number, number] // prettier-ignore
    total += a + b + (c + d) + (e + f + (g + h))
  }
  return total
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
