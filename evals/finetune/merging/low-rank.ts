/** @file The best approximation of a merged change by a given rank, from its factors or from the whole matrix. */
import { leadingTriplets } from '../methods/singular.ts'
import { rowProducts, transposed } from '../../spectra/decomposition/matrix.ts'
import { leftSingular } from '../../spectra/decomposition/svd.ts'
import type { Layer, Merged, MergeSettings, Part } from './merging.ts'

/** σ_j u_j as columns of B and v_j as rows of A. */
interface Truncated {
  /** u_j as rows, `[rank, rows]`. */
  readonly left: Float64Array
  readonly values: Float64Array
  /** v_j as rows, `[rank, columns]`. */
  readonly right: Float64Array
}

type Cut = Pick<MergeSettings, 'rank'>

/** The rank that is asked for, at most `most` and min(rows, columns). */
const rankFor = (layer: Layer, { rank }: Cut, most = Infinity): number =>
  Math.min(rank ?? largestRank(layer), layer.rows, layer.columns, most)

export const largestRank = ({ parts }: Layer): number => Math.max(...parts.map(({ rank }) => rank))

export const sumOfRanks = ({ parts }: Pick<Layer, 'parts'>): number =>
  parts.reduce((sum, { rank }) => sum + rank, 0)

/**
 * Rows of `factor` of all parts below one another, those of part i times `factorOf(part)`: A as it is `[Σ rank, columns]`, B
 * transposed `[Σ rank, rows]`.
 */
export function stacked(layer: Layer, side: 'A' | 'B', factorOf: (part: Part) => number) {
  const width = side === 'A' ? layer.columns : layer.rows
  const out = new Float64Array(sumOfRanks(layer) * width)
  let at = 0
  for (const part of layer.parts) {
    const factor = factorOf(part)
    const rows = side === 'A' ? part.A : transposed(part.B, layer.rows, part.rank)
    for (let i = 0; i < rows.length; i++) out[at + i] = factor * rows[i]!
    at += rows.length
  }
  return out
}

/**
 * Σ_i w_i ΔW_i cut to the rank that is asked for, without forming it: with the stacked factors Lᵀ = U₁S₁V₁ᵀ and R = U₂S₂V₂ᵀ, the
 * singular values of L R are those of the core S₁U₁ᵀU₂S₂ `[≤ Σ rank, ≤ Σ rank]`.
 */
export function cutSum(layer: Layer, settings: Cut): Merged {
  const count = sumOfRanks(layer)
  const weight = layer.name
  const system = (side: 'A' | 'B', columns: number, factorOf: (part: Part) => number) =>
    leftSingular(
      { rows: count, columns, data: stacked(layer, side, factorOf) },
      { right: true, weight },
    )
  const L = system('B', layer.rows, (part) => part.weight * part.scale)
  const R = system('A', layer.columns, () => 1)
  const [p, q] = [L.singularValues.length, R.singularValues.length]
  const core = rowProducts(L.left.data, p, R.left.data, q, count).map(
    (x, at) => L.singularValues[Math.floor(at / q)]! * x * R.singularValues[at % q]!,
  )
  const inner = leftSingular({ rows: p, columns: q, data: core }, { right: true, weight })
  const rank = rankFor(layer, settings, count)
  const turned = (outer: Float64Array, width: number, by: Float64Array, dimension: number) =>
    productOf(by.subarray(0, rank * dimension), outer, rank, dimension, width)
  const whole = inner.singularValues.reduce((sum, σ) => sum + σ * σ, 0)
  return factors(layer, whole, {
    left: turned(L.right!.data, layer.rows, inner.left.data, p),
    values: inner.singularValues.slice(0, rank),
    right: turned(R.right!.data, layer.columns, inner.right!.data, q),
  })
}

/** `change` `[rows, columns]` cut to the rank that is asked for. */
export function cutMatrix(layer: Layer, change: Float64Array, settings: Cut): Merged {
  const rank = rankFor(layer, settings)
  const whole = change.reduce((sum, x) => sum + x * x, 0)
  const { rows, columns, name } = layer
  return factors(layer, whole, leadingTriplets(change, rows, columns, rank, name))
}

/** @param whole ‖ΔW‖² */
function factors({ rows }: Layer, whole: number, { left, values, right }: Truncated): Merged {
  const rank = values.length
  const B = transposed(left, rank, rows)
  for (let i = 0; i < B.length; i++) B[i]! *= values[i % rank]!
  const kept = values.reduce((sum, σ) => sum + σ * σ, 0)
  const lost = whole === 0 ? 0 : Math.sqrt(Math.max(0, 1 - kept / whole))
  return { rank, A: right, B, lost }
}

/** X Y `[p, width]` of X `[p, q]` and Y `[q, width]`. */
export const productOf = (X: Float64Array, Y: Float64Array, p: number, q: number, width: number) =>
  rowProducts(X, p, transposed(Y, q, width), width, q)
