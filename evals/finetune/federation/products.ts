/** @file Means over clients of the products s·B·A of one layer, and how far what a server made of them is away. */
import { addMultiple, transposed } from '../../spectra/decomposition/matrix.ts'
import { productOf, stacked, sumOfRanks } from '../merging/low-rank.ts'
import type { Layer } from '../merging/merging.ts'

/** [p₁s₁B₁ … p_ns_nB_n]·[A₁; …; A_n] `[out, in]`. */
export function stackedProduct(layer: Layer): Float64Array {
  const rank = sumOfRanks(layer)
  const B = stacked(layer, 'B', ({ weight, scale }) => weight * scale)
  const A = stacked(layer, 'A', () => 1)
  return productOf(transposed(B, rank, layer.rows), A, layer.rows, rank, layer.columns)
}

/** Σ p_i s_i B_i A_i `[out, in]`, one product after the other. */
export function exactMean({ rows, columns, parts }: Layer): Float64Array {
  const out = new Float64Array(rows * columns)
  for (const { weight, scale, rank, A, B } of parts)
    addMultiple(out, 0, weight * scale, productOf(B, A, rows, rank, columns), 0, out.length)
  return out
}

interface LayerBias {
  /** ‖Σ p_i ΔW_i − made‖² and ‖Σ p_i ΔW_i‖², squared Frobenius norms. */
  readonly missed: number
  readonly exact: number
}

export function aggregationBias(layer: Layer, made: Float64Array): LayerBias {
  const mean = exactMean(layer)
  let [missed, exact] = [0, 0]
  for (let t = 0; t < mean.length; t++) {
    missed += (mean[t]! - made[t]!) ** 2
    exact += mean[t]! ** 2
  }
  return { missed, exact }
}

/** ‖Σ p_i ΔW_i − made‖/‖Σ p_i ΔW_i‖ in the Frobenius norm, over one layer or several; 0 where nothing was learnt. */
export function relativeBias(layers: readonly LayerBias[]): number {
  const sum = (side: keyof LayerBias) => layers.reduce((total, layer) => total + layer[side], 0)
  return sum('exact') === 0 ? 0 : Math.sqrt(sum('missed') / sum('exact'))
}
