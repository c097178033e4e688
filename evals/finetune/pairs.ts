/** @file The adapted layers of a flat vector: where A and B of each stand, and row sums of what they make. */
import { LORA_A, LORA_B } from './low-rank.ts'
import type { Layout } from './method.ts'
import type { ParameterSlice } from './parameters.ts'

export interface PairSlices {
  /** `model.layers.0.self_attn.q_proj` */
  readonly name: string
  readonly A: ParameterSlice
  readonly B: ParameterSlice
  readonly rank: number
  /** Of the layer: `[out, in]`. */
  readonly rows: number
  readonly columns: number
}

const known = new WeakMap<Layout['table'], readonly PairSlices[]>()

/** In the table's order. */
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

export interface LowRankTerm {
  readonly B: Float32Array
  readonly A: Float32Array
}

/** Where one pair stands in a flat vector (parameters, their gradient or their moment). */
export const termIn = (flat: Float32Array, { A, B }: PairSlices): LowRankTerm => ({
  A: flat.subarray(A.start, A.end),
  B: flat.subarray(B.start, B.end),
})

/**
 * Calls `visit(i, row)` with each row of `start` + scale·Σ B·A, float64 `[columns]`; the buffer is used again for the next
 * row. `start` may be absent.
 */
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
      for (let r = 0; r < rank; r++) {
        const b = scale * B[i * rank + r]!
        if (b === 0) continue
        for (let j = 0; j < columns; j++) row[j]! += b * A[r * columns + j]!
      }
    }
    visit(i, row)
  }
}

/** ‖row‖² of each row, `[rows]`. */
export function rowSquares(
  pair: Pick<PairSlices, 'rows' | 'columns' | 'rank'>,
  terms: readonly LowRankTerm[],
  scale: number,
  start?: Float32Array,
): Float64Array {
  const squares = new Float64Array(pair.rows)
  eachRow(pair, terms, scale, (i, row) => void (squares[i] = squareOf(row)), start)
  return squares
}

export const squareOf = (row: Float64Array): number => {
  let sum = 0
  for (let j = 0; j < row.length; j++) sum += row[j]! * row[j]!
  return sum
}

const scratches = new WeakMap<Layout['table'], Map<string, Float32Array>>()

/** A copy of `data` in a buffer that belongs to this session and this name, overwritten by the next call. */
export function copied({ table }: Pick<Layout, 'table'>, name: string, data: Float32Array) {
  const own = scratches.get(table) ?? new Map<string, Float32Array>()
  scratches.set(table, own)
  const copy = own.get(name) ?? new Float32Array(data.length)
  own.set(name, copy)
  copy.set(data)
  return copy
}
