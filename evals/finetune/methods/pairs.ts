/** @file The adapted layers in a flat parameter vector: slices of A and B, and row norms of B·A. */
import { LORA_A, LORA_B } from './low-rank.ts'
import type { Layout } from '../method.ts'
import type { ParameterSlice } from '../training/parameters.ts'

export interface PairSlices {
  /** `model.layers.0.self_attn.q_proj` */
  readonly name: string
  readonly A: ParameterSlice
  readonly B: ParameterSlice
  readonly rank: number
  /** Size of the layer, `[out, in]`. */
  readonly rows: number
  readonly columns: number
}

const known = new WeakMap<Layout['table'], readonly PairSlices[]>()

/** In the order of the table. */
export function pairsOf({ table }: Pick<Layout, 'table'>): readonly PairSlices[] {
  const before = known.get(table)
  if (before) return before
  const byName = new Map(table.slices.map((slice) => [slice.name, slice]))
  const pairs = table.slices.flatMap((A) => {
    if (!A.name.endsWith(`.${LORA_A}`)) return []
    const name = A.name.slice(0, -LORA_A.length - 1)
    const B = byName.get(`${name}.${LORA_B}`)!
    const [rank, columns] = A.shape as [number, number]
    return [{ name, A, B, rank, columns, rows: B.shape[0]! }]
  })
  known.set(table, pairs)
  return pairs
}

interface LowRankTerm {
  readonly B: Float32Array
  readonly A: Float32Array
}

/** Views of one pair in a flat vector (parameters, their gradient or a moment). */
export const termIn = (flat: Float32Array, { A, B }: PairSlices): LowRankTerm => ({
  A: flat.subarray(A.start, A.end),
  B: flat.subarray(B.start, B.end),
})

/** The two terms of s·(B·dA + dB·A): the change of the weight by a small change of A and B. */
export function changeTerms(parameters: Float32Array, change: Float32Array, pair: PairSlices) {
  const [now, d] = [termIn(parameters, pair), termIn(change, pair)]
  return [
    { B: now.B, A: d.A },
    { B: d.B, A: now.A },
  ]
}

const TILE = 4

/** Adds scale·Σ b·a of four factors from `B[at]` and `A[from]` on to a row, in the order of one after another. */
function addFour(
  row: Float64Array,
  { A, B }: LowRankTerm,
  scale: number,
  [at, from]: readonly [number, number],
): void {
  const n = row.length
  const [b0, b1, b2, b3] = [B[at]!, B[at + 1]!, B[at + 2]!, B[at + 3]!]
  const [s0, s1, s2, s3] = [scale * b0, scale * b1, scale * b2, scale * b3]
  for (let j = 0; j < n; j++) {
    const k = from + j
    row[j] = row[j]! + s0 * A[k]! + s1 * A[k + n]! + s2 * A[k + 2 * n]! + s3 * A[k + 3 * n]!
  }
}

/** Calls `visit(i, row)` with each row of `start` + scale·Σ B·A, float64 `[columns]`, in a buffer that the next row overwrites. */
export function eachRow(
  { rows, columns, rank }: Pick<PairSlices, 'rows' | 'columns' | 'rank'>,
  terms: readonly LowRankTerm[],
  scale: number,
  visit: (i: number, row: Float64Array) => void,
  start?: Float32Array,
): void {
  const row = new Float64Array(columns)
  for (let i = 0; i < rows; i++) {
    if (start) row.set(start.subarray(i * columns, (i + 1) * columns))
    else row.fill(0)
    for (const { A, B } of terms) {
      let r = 0
      for (; r + TILE <= rank; r += TILE) addFour(row, { A, B }, scale, [i * rank + r, r * columns])
      for (; r < rank; r++) {
        const b = scale * B[i * rank + r]!
        for (let j = 0; j < columns; j++) row[j]! += b * A[r * columns + j]!
      }
    }
    visit(i, row)
  }
}

/**
 * Squared norm of each row of `start` + s·Σ B·A, `[rows]`. With all n terms' rows of A concatenated, row i has the squared norm
 * ‖start_i‖² + 2s·B_i·(A·start_iᵀ) + s²·B_i·(A·Aᵀ)·B_iᵀ: n²(rows + columns)/2 products, without B·A. From n = 2·rows·columns /
 * (rows + columns) on, the n·rows·columns of B·A are fewer.
 */
export function rowSquares(
  pair: Pick<PairSlices, 'rows' | 'columns' | 'rank'>,
  terms: readonly LowRankTerm[],
  scale: number,
  start?: Float32Array,
): Float64Array {
  const { rows, columns, rank } = pair
  if (terms.length * rank * (rows + columns) >= 2 * rows * columns) {
    const squares = new Float64Array(rows)
    eachRow(pair, terms, scale, (i, row) => (squares[i] = product(row, row)), start)
    return squares
  }
  const factors = terms.flatMap(({ A }) =>
    Array.from({ length: rank }, (_, r) => A.subarray(r * columns, (r + 1) * columns)),
  )
  const gram = gramOf(factors)
  const squares = start ? ownSquares(start, rows).slice() : new Float64Array(rows)
  const b = new Float64Array(factors.length)
  for (let i = 0; i < rows; i++) {
    terms.forEach(({ B }, t) => {
      for (let r = 0; r < rank; r++) b[t * rank + r] = scale * B[i * rank + r]!
    })
    const row = start?.subarray(i * columns, (i + 1) * columns)
    let sum = squares[i]! + quadratic(b, gram)
    if (row)
      b.forEach((weight, r) => (sum += weight === 0 ? 0 : 2 * weight * product(row, factors[r]!)))
    // Rounding can make the square of a zero row slightly negative.
    squares[i] = Math.max(0, sum)
  }
  return squares
}

/** Lower triangle of A·Aᵀ, row by row `[n(n + 1)/2]`, from the rows of A `[n, columns]`. */
const gramOf = (factors: readonly Float32Array[]): Float64Array =>
  Float64Array.from(factors.flatMap((a, r) => factors.slice(0, r + 1).map((b) => product(a, b))))

/** b·G·bᵀ for a symmetric G given by its lower triangle. */
function quadratic(b: Float64Array, gram: Float64Array): number {
  let sum = 0
  for (let r = 0, at = 0; r < b.length; r++) {
    let left = 0
    for (let t = 0; t < r; t++) left += b[t]! * gram[at++]!
    sum += b[r]! * (2 * left + b[r]! * gram[at++]!)
  }
  return sum
}

/** Four independent sums, because a single one would wait for each addition. */
function product<T extends Float32Array | Float64Array>(a: T, b: T): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let j = 0
  const whole = a.length - (a.length % 4)
  for (; j < whole; j += 4) {
    s0 += a[j]! * b[j]!
    s1 += a[j + 1]! * b[j + 1]!
    s2 += a[j + 2]! * b[j + 2]!
    s3 += a[j + 3]! * b[j + 3]!
  }
  for (; j < a.length; j++) s0 += a[j]! * b[j]!
  return s0 + s1 + (s2 + s3)
}

const squaresOf = new WeakMap<Float32Array, Float64Array>()

/** ‖W_i‖² of the rows of a weight that does not change, computed once. */
function ownSquares(W: Float32Array, rows: number): Float64Array {
  const columns = W.length / rows
  const known = squaresOf.get(W)
  if (known) return known
  const squares = Float64Array.from({ length: rows }, (_, i) => {
    const row = W.subarray(i * columns, (i + 1) * columns)
    return product(row, row)
  })
  squaresOf.set(W, squares)
  return squares
}

const scratches = new WeakMap<Layout['table'], Map<string, Float32Array>>()

/** A copy of `data` in a buffer of this session and name, overwritten by the next call. */
export function copied({ table }: Pick<Layout, 'table'>, name: string, data: Float32Array) {
  const own = scratches.get(table) ?? new Map<string, Float32Array>()
  scratches.set(table, own)
  const copy = own.get(name) ?? new Float32Array(data.length)
  own.set(name, copy)
  copy.set(data)
  return copy
}
