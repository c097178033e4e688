/** @file Leading singular triplets of a weight or its gradient, for the start of an adapter. */
import { normaliseRows, transposed, type Numbers } from '../../spectra/decomposition/matrix.ts'
import { leadingLeft } from '../../spectra/decomposition/partial-svd.ts'
import { leftSingular } from '../../spectra/decomposition/svd.ts'

interface Triplets {
  /** Rows u_j, `[k, rows]`. */
  readonly left: Float64Array
  /** σ_j, descending, `[k]`. */
  readonly values: Float64Array
  /** Rows v_j, `[k, columns]`. */
  readonly right: Float64Array
}

/** Above this share of σ₁ the right vector v = Wᵀu/σ is as accurate as u. */
const WELL_RESOLVED = 1e-2

/** The first `k` ≤ min(rows, columns) triplets of `data` `[rows, columns]`; beyond its rank, an arbitrary orthonormal completion. */
export function leadingTriplets(
  data: Numbers,
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
  data: Numbers,
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

/** The rows of `vectors` with the given indices. */
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

/** Row vectors `[count, dimension]`, times `factor`, as the columns of a matrix `[dimension, count]`. */
export const asColumns = (vectors: Float64Array, count: number, factor = 1): Float32Array =>
  asRows(transposed(vectors, count, vectors.length / count), factor)

/** The same vectors, times `factor`, as rows `[count, dimension]`. */
export const asRows = (vectors: Float64Array, factor = 1): Float32Array =>
  Float32Array.from(vectors, (x) => x * factor)
