/**
 * @file PiSSA: the r leading singular triplets are trained and the rest of W is frozen (Meng et al. 2024, §3). With
 * W = U·S·Vᵀ: B₀ = U_r·√(S_r/s), A₀ = √(S_r/s)·V_rᵀ, W_res = W − s·B₀·A₀, so the model starts as its base.
 * The decomposition is exact (the paper's fast variant iterates). Exported as an adapter of rank 2r on W.
 * See docs/methods/initialisation.md.
 */
import { z } from 'zod'
import { applyTransposed, vector } from '../../spectra/decomposition/matrix.ts'
import { leadingLeft } from '../../spectra/decomposition/partial-svd.ts'
import { lowRankFields, peftConfigOf } from './low-rank.ts'
import type { FineTuneMethod } from '../method.ts'
import { startedFrom, type LowRankStart } from './moved-base.ts'

const config = z.object(lowRankFields)

export const pissa: FineTuneMethod<z.infer<typeof config>> = {
  name: 'pissa',
  title: 'PiSSA',
  paper: 'arXiv:2404.02948',
  faithfulness: 'exact',
  notes: ['The paper trains at α = r, at rates ten times below LoRA’s.'],
  config,
  mergeable: true,
  identityAtStart: true,
  hooks: (config) =>
    startedFrom(peftConfigOf(config), ({ data, rows, columns }, rank, scale) =>
      principalPart(data, rows, columns, rank, scale),
    ),
}

/** A₀ `[rank, columns]` and B₀ `[rows, rank]` with s·B₀·A₀ the best approximation of W of that rank. */
export function principalPart(
  W: Float32Array,
  rows: number,
  columns: number,
  rank: number,
  scale: number,
): LowRankStart {
  const { left, singularValues } = leadingLeft({ rows, columns, data: W }, rank)
  const A = new Float32Array(rank * columns)
  const B = new Float32Array(rows * rank)
  // A₀ and B₀ are zero beyond the rank of W.
  for (let j = 0; j < left.count; j++) {
    const u = vector(left, j)
    const half = Math.sqrt(singularValues[j]! / scale)
    // √(σ/s)·vᵀ = uᵀ·W·√(σ/s)/σ
    const v = applyTransposed(W, u, columns)
    for (let i = 0; i < columns; i++) A[j * columns + i] = (v[i]! * half) / singularValues[j]!
    for (let i = 0; i < rows; i++) B[i * rank + j] = u[i]! * half
  }
  return { A, B }
}
