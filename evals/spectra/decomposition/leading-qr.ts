/**
 * @file The first columns of W = Q·R, reduced and unpivoted, by Householder reflections H₁…H_r. Each maps one column to
 * −sign(x₀)‖x‖ e₁, as LAPACK's geqrf, so that signs equal PyTorch's.
 */
import { dot, finiteNumbers, type Matrix } from './matrix.ts'

/** `Q` `[rows, rank]` with orthonormal columns; `R` `[rank, columns]`, upper triangular. rank ≤ min(rows, columns). */
export function leadingQr(
  W: Matrix,
  rank: number,
  weight = 'W',
): { Q: Float64Array; R: Float64Array } {
  const { rows, columns } = W
  const X = finiteNumbers(W, weight)
  const reflectors: Float64Array[] = []
  for (let k = 0; k < rank; k++) {
    const v = reflector(X, rows, columns, k)
    reflectors.push(v)
    reflect(X, columns, v, k, k)
    for (let i = k + 1; i < rows; i++) X[i * columns + k] = 0
  }
  const Q = new Float64Array(rows * rank)
  for (let k = 0; k < rank; k++) Q[k * rank + k] = 1
  // Q = H₁·…·H_r on the first r axes.
  for (let k = rank - 1; k >= 0; k--) reflect(Q, rank, reflectors[k]!, k, 0)
  return { Q, R: X.slice(0, rank * columns) }
}

/** v over rows k…, of length √2 so that H = I − v·vᵀ; zero if column k is zero below its diagonal. */
function reflector(X: Float64Array, rows: number, columns: number, k: number): Float64Array {
  const v = Float64Array.from({ length: rows - k }, (_, i) => X[(k + i) * columns + k]!)
  const below = dot(v, 1, v, 1, v.length - 1)
  if (below === 0) return v.fill(0)
  const norm = Math.sqrt(v[0]! * v[0]! + below)
  v[0]! += v[0]! < 0 ? -norm : norm
  const length = Math.sqrt(v[0]! * v[0]! + below)
  return v.map((x) => (x / length) * Math.SQRT2)
}

/** X ← (I − v·vᵀ)·X on the rows from `k` and the columns from `from`. */
function reflect(X: Float64Array, columns: number, v: Float64Array, k: number, from: number): void {
  const share = new Float64Array(columns)
  v.forEach((x, i) => {
    for (let j = from; j < columns; j++) share[j]! += x * X[(k + i) * columns + j]!
  })
  v.forEach((x, i) => {
    for (let j = from; j < columns; j++) X[(k + i) * columns + j]! -= x * share[j]!
  })
}
