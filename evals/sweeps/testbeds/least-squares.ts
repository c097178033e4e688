/**
 * @file The least-squares solution of smallest norm, in float64: β = X⁺ y by a Householder QR of X or, where X is wide, of Xᵀ.
 *
 *     n ≥ d: X = Q R, β = R⁻¹ Qᵀ y          n < d: Xᵀ = Q R, β = Q R⁻ᵀ y          (Golub and Van Loan, §5.3 and §5.6)
 */

/** X `[n, d]` by rows, of full rank min(n, d); y `[n]` → β `[d]`. */
export function leastSquares(X: Float64Array, n: number, d: number, y: Float64Array): Float64Array {
  if (n >= d) {
    const { columns, diagonal, β } = qr(columnsOf(X, n, d), n, d)
    const z = y.slice()
    for (let c = 0; c < d; c++) reflect(columns, n, c, β[c]!, z, 0)
    const solution = z.slice(0, d)
    for (let r = d - 1; r >= 0; r--) {
      for (let c = r + 1; c < d; c++) solution[r]! -= columns[c * n + r]! * solution[c]!
      solution[r]! /= diagonal[r]!
    }
    return solution
  }
  // The columns of Xᵀ are the rows of X.
  const { columns, diagonal, β } = qr(X.slice(), d, n)
  const solution = new Float64Array(d)
  for (let r = 0; r < n; r++) {
    let rest = y[r]!
    for (let c = 0; c < r; c++) rest -= columns[r * d + c]! * solution[c]!
    solution[r] = rest / diagonal[r]!
  }
  for (let c = n - 1; c >= 0; c--) reflect(columns, d, c, β[c]!, solution, 0)
  return solution
}

function columnsOf(X: Float64Array, n: number, d: number): Float64Array {
  const columns = new Float64Array(n * d)
  for (let r = 0; r < n; r++) for (let c = 0; c < d; c++) columns[c * n + r] = X[r * d + c]!
  return columns
}

/**
 * In place on `columns` `[cols][rows]`, rows ≥ cols: R above the diagonal, the reflectors v of I − β v vᵀ from the diagonal
 * down; the diagonal of R is returned separately.
 */
function qr(columns: Float64Array, rows: number, cols: number) {
  const [diagonal, β] = [new Float64Array(cols), new Float64Array(cols)]
  for (let c = 0; c < cols; c++) {
    const start = c * rows
    let squares = 0
    for (let r = c; r < rows; r++) squares += columns[start + r]! ** 2
    const norm = Math.sqrt(squares)
    if (norm === 0) throw new Error('internal: least squares needs a matrix of full rank')
    const head = columns[start + c]!
    diagonal[c] = head > 0 ? -norm : norm
    columns[start + c] = head - diagonal[c]!
    β[c] = 1 / (norm * (norm + Math.abs(head)))
    for (let other = c + 1; other < cols; other++) {
      reflect(columns, rows, c, β[c]!, columns, other * rows)
    }
  }
  return { columns, diagonal, β }
}

/** x ← (I − β v vᵀ) x for the reflector in column c, on the `rows` numbers of `x` from `start`. */
function reflect(
  columns: Float64Array,
  rows: number,
  c: number,
  β: number,
  x: Float64Array,
  start: number,
): void {
  const v = c * rows
  let product = 0
  for (let r = c; r < rows; r++) product += columns[v + r]! * x[start + r]!
  product *= β
  for (let r = c; r < rows; r++) x[start + r]! -= product * columns[v + r]!
}
