/** @file The leading singular triplets of a weight or its gradient, as starts of adapters need them. */
import { normaliseRows, transposed } from '../../spectra/decomposition/matrix.ts'
import { leadingLeft } from '../../spectra/decomposition/partial-svd.ts'
import { leftSingular } from '../../spectra/decomposition/svd.ts'

interface Triplets {
  /** u_j one after another, `[k, rows]`. */
  readonly left: Float64Array
  /** σ_j, descending, `[k]`. */
  readonly values: Float64Array
  /** v_j one after another, `[k, columns]`. */
  readonly right: Float64Array
}

/** Down to this part of σ₁ a right vector is as good as its left one: v = Wᵀu/σ. */
const WELL_RESOLVED = 1e-2

/** The first `k` ≤ min(rows, columns) triplets of `data` `[rows, columns]`; beyond the rank any orthonormal completion. */
export function leadingTriplets(
  data: Float32Array,
  rows: number,
  columns: number,
  k: number,
  weight: string,
): Triplets {
  const W = { rows, columns, data }
  const found = leadingLeft(W, k, weight)
  const values = found.singularValues
  if (found.left.count === k && values[k - 1]! > values[0]! * WELL_RESOLVED) {
    const left = found.left.data
    return { left, values, right: rightOf(data, rows, columns, left, k) }
  }
  const whole = leftSingular(W, { right: true, weight })
  return {
    left: whole.left.data.slice(0, k * rows),
    values: whole.singularValues.slice(0, k),
    right: whole.right!.data.slice(0, k * columns),
  }
}

function rightOf(
  data: Float32Array,
  rows: number,
  columns: number,
  left: Float64Array,
  k: number,
): Float64Array {
  const right = new Float64Array(k * columns)
  for (let j = 0; j < k; j++) {
    for (let i = 0; i < rows; i++) {
      const u = left[j * rows + i]!
      for (let t = 0; t < columns; t++) right[j * columns + t]! += u * data[i * columns + t]!
    }
  }
  normaliseRows(right, columns, k)
  return right
}

/** The vectors of these numbers, one after another. */
export function pickedRows(
  vectors: Float64Array,
  dimension: number,
  numbers: readonly number[],
): Float64Array {
  const out = new Float64Array(numbers.length * dimension)
  numbers.forEach((j, at) =>
    out.set(vectors.subarray(j * dimension, (j + 1) * dimension), at * dimension),
  )
  return out
}

/** Vectors `from` … `from` + `count` − 1 as the columns of a matrix `[dimension, count]`, each times `factor`. */
export const asColumns = (
  vectors: Float64Array,
  dimension: number,
  from: number,
  count: number,
  factor: number,
): Float32Array =>
  Float32Array.from(
    transposed(vectors.subarray(from * dimension, (from + count) * dimension), count, dimension),
    (x) => x * factor,
  )

/** The same vectors as rows `[count, dimension]`. */
export const asRows = (
  vectors: Float64Array,
  dimension: number,
  from: number,
  count: number,
  factor: number,
): Float32Array =>
  Float32Array.from(
    vectors.subarray(from * dimension, (from + count) * dimension),
    (x) => x * factor,
  )
