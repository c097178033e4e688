/** @file Scales one singular direction of a weight (mitigation of Shuttleworth et al. 2025): W + (λ − 1) σ_i u_i v_iᵀ. */
import { vector, type Matrix } from './decomposition/matrix.ts'
import type { SingularSystem } from './decomposition/svd.ts'

/**
 * W with its `index`-th singular value multiplied by `factor` (λ: 1 changes nothing, 0 removes the direction). `system` is W's
 * own, with right vectors.
 */
export function scaleDirection(
  W: Matrix,
  system: SingularSystem,
  index: number,
  factor: number,
): Matrix {
  if (!system.right) throw new Error('internal: scaleDirection needs the right vectors')
  const [u, v] = [vector(system.left, index), vector(system.right, index)]
  const weight = (factor - 1) * system.singularValues[index]!
  const data = new Float64Array(W.data)
  for (let i = 0; i < W.rows; i++) {
    for (let j = 0; j < W.columns; j++) data[i * W.columns + j]! += weight * u[i]! * v[j]!
  }
  return { rows: W.rows, columns: W.columns, data }
}
