/**
 * @file LoRA-FAIR: A and B are averaged, and the mean of B is corrected so that (B̄ + ΔB)·Ā is near Σ p_i B_i A_i (Bian et al. 2024,
 * §4). Only B is corrected. Two forms: ridge, which has a closed solution, and the cosine objective by gradient descent.
 */
import { z } from 'zod'
import { dot, rowProducts, transposed } from '../../../spectra/decomposition/matrix.ts'
import type { Layer } from '../../merging/merging.ts'
import { productOf } from '../../merging/low-rank.ts'
import { LORA_A, LORA_B } from '../../methods/low-rank.ts'
import { lora } from '../../methods/lora.ts'
import { realNumber, wholeNumber } from '../../settings.ts'
import type { Strategy } from '../strategy.ts'
import { weightedMean } from '../tensors.ts'

const config = z.object({
  correction: z.enum(['ridge', 'cosine-sgd']).default('ridge').meta({
    label: 'Correction',
    help: 'How B is corrected: ridge has a closed solution; cosine-sgd is the objective of the paper, by gradient descent',
  }),
  ridge: realNumber({ above: 0 }, 0.01, {
    label: 'λ of the correction',
    help: 'Weight of ‖ΔB‖',
  }),
  correctionRate: realNumber({ above: 0 }, 0.01, {
    label: 'Correction rate',
    help: 'Step size of cosine-sgd',
  }),
  correctionSteps: wholeNumber({ min: 1, max: 100_000 }, 1000, {
    label: 'Correction steps',
    help: 'Steps of cosine-sgd',
  }),
})
type Config = z.infer<typeof config>

export const loraFair: Strategy<Config> = {
  name: 'lora-fair',
  title: 'LoRA-FAIR',
  paper: 'arXiv:2411.14961',
  faithfulness: 'variant',
  notes: [
    'The optimiser of the server’s step was read second-hand. Ridge minimises ‖ΔW − (B̄ + ΔB)Ā‖² + λ‖ΔB‖² in place of the paper’s cosine.',
  ],
  method: lora,
  isMean: false,
  mixesRanks: false,
  config,
  aggregate(round, settings) {
    const tensors = weightedMean(round)
    for (const layer of round.layers) {
      const [a, b] = [`${layer.name}.${LORA_A}`, `${layer.name}.${LORA_B}`]
      const means = { A: tensors.get(a)!, B: tensors.get(b)! }
      tensors.set(b, corrected(layer, means, settings))
    }
    return { tensors }
  },
}

interface Means {
  /** Ā `[r, in]`. */
  readonly A: Float64Array
  /** B̄ `[out, r]`. */
  readonly B: Float64Array
}

/** B̄ + ΔB `[out, r]`. */
function corrected(layer: Layer, means: Means, settings: Config): Float64Array {
  const { rows, columns, parts } = layer
  const { rank } = parts[0]!
  const { A } = means
  // ΔW Āᵀ = Σ p_i B_i (A_i Āᵀ) `[out, r]`; s is one for all and cancels.
  const target = new Float64Array(rows * rank)
  for (const part of parts) {
    const inner = rowProducts(part.A, part.rank, A, rank, columns)
    const product = productOf(part.B, inner, rows, part.rank, rank)
    for (let t = 0; t < target.length; t++) target[t]! += part.weight * product[t]!
  }
  const gram = rowProducts(A, rank, A, rank, columns)
  const sides = { target, gram, rank, rows }
  return settings.correction === 'ridge'
    ? ridge(sides, means, settings)
    : byCosine(sides, means, { ...settings, size: sizeOfMean(layer) })
}

interface Sides {
  /** ΔW Āᵀ `[out, r]`. */
  readonly target: Float64Array
  /** Ā Āᵀ `[r, r]`. */
  readonly gram: Float64Array
  readonly rank: number
  readonly rows: number
}

/** ΔB = (ΔW − B̄Ā)Āᵀ(ĀĀᵀ + λI)⁻¹. */
function ridge({ target, gram, rank, rows }: Sides, { B }: Means, { ridge: λ }: Config) {
  const fitted = productOf(B, gram, rows, rank, rank)
  const left = target.map((x, t) => x - fitted[t]!)
  const shifted = gram.slice()
  for (let j = 0; j < rank; j++) shifted[j * rank + j]! += λ
  const change = solvedRows(shifted, left, rank)
  return B.map((x, t) => x + change[t]!)
}

/** X with X·S = Y, row by row, for S `[r, r]` symmetric and positive definite, by Cholesky’s S = L Lᵀ. */
function solvedRows(S: Float64Array, Y: Float64Array, r: number): Float64Array {
  const L = new Float64Array(r * r)
  for (let i = 0; i < r; i++) {
    for (let j = 0; j <= i; j++) {
      const left = S[i * r + j]! - dot(L, i * r, L, j * r, j)
      L[i * r + j] = i === j ? Math.sqrt(left) : left / L[j * r + j]!
    }
  }
  const upper = transposed(L, r, r)
  const X = Y.slice()
  for (let row = 0; row < X.length; row += r) {
    for (let i = 0; i < r; i++)
      X[row + i] = (X[row + i]! - dot(L, i * r, X, row, i)) / L[i * r + i]!
    for (let i = r - 1; i >= 0; i--) {
      const known = dot(upper, i * r + i + 1, X, row + i + 1, r - i - 1)
      X[row + i] = (X[row + i]! - known) / L[i * r + i]!
    }
  }
  return X
}

/**
 * Descends 1 − ⟨ΔW, X⟩/(‖ΔW‖‖X‖) + λ‖ΔB‖, X = (B̄ + ΔB)Ā, from ΔB = 0, where the gradient of ‖ΔB‖ is taken as 0. With
 * T = ΔWĀᵀ and G = ĀĀᵀ, ⟨ΔW, X⟩ = ⟨T, B⟩ and ‖X‖² = ⟨B G, B⟩ for B = B̄ + ΔB. Where ΔW or B̄Ā is 0 there is no cosine: ΔB = 0.
 */
function byCosine(
  { target, gram, rank, rows }: Sides,
  { B: mean }: Means,
  { size, ridge: λ, correctionRate, correctionSteps }: Config & { readonly size: number },
): Float64Array {
  const B = mean.slice()
  for (let step = 0; step < correctionSteps; step++) {
    const product = productOf(B, gram, rows, rank, rank)
    const length = Math.sqrt(dot(product, 0, B, 0, B.length))
    if (size === 0 || length === 0) return B
    const along = dot(target, 0, B, 0, B.length)
    const change = B.map((x, t) => x - mean[t]!)
    const norm = Math.sqrt(dot(change, 0, change, 0, change.length))
    for (let t = 0; t < B.length; t++) {
      const cosine = (target[t]! - (along / length ** 2) * product[t]!) / (size * length)
      const pull = norm === 0 ? 0 : (λ * change[t]!) / norm
      B[t]! += correctionRate * (cosine - pull)
    }
  }
  return B
}

/** ‖Σ p_i B_i A_i‖ = √(Σ_ij p_i p_j ⟨B_iᵀB_j, A_iA_jᵀ⟩). */
function sizeOfMean({ rows, columns, parts }: Layer): number {
  let square = 0
  for (const one of parts) {
    for (const other of parts) {
      const inner = rowProducts(one.A, one.rank, other.A, other.rank, columns)
      const outer = rowProducts(
        transposed(one.B, rows, one.rank),
        one.rank,
        transposed(other.B, rows, other.rank),
        other.rank,
        rows,
      )
      square += one.weight * other.weight * dot(inner, 0, outer, 0, inner.length)
    }
  }
  return Math.sqrt(Math.max(0, square))
}
