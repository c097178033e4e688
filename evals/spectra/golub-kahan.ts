/**
 * @file The leading singular triplets of an operator by Golub–Kahan–Lanczos bidiagonalisation, M V = U B and
 * Mᵀ U = V Bᵀ + β v eᵀ, with full reorthogonalisation of both sides (Golub and Kahan 1965; Golub and Van Loan §10.4).
 */
import { fillNormal, randomStream } from '../statistics/random.ts'
import { addMultiple, dot } from './matrix.ts'
import { tridiagonalVectors } from './inverse-iteration.ts'
import { leadingTridiagonalValues, type Bands } from './tridiagonal.ts'

/** M `[rows, columns]`, known by what it does. Both write into `out`. */
export type Operator = {
  rows: number
  columns: number
  times: (v: Float64Array, out: Float64Array) => void
  timesTransposed: (u: Float64Array, out: Float64Array) => void
  /** Where to begin `[columns]`: the nearer to the leading directions, the fewer steps. Random if not given. */
  start?: Float64Array
}

/** σ descending `[k]` and the left vectors as rows `[k, rows]`. */
export type LeadingTriplets = { singularValues: Float64Array; left: Float64Array }

/** ‖Mᵀ u − σ v‖ allowed, as a part of σ₁: c then errs by it over the gap between neighbouring σ. */
const RESIDUAL = 1e-11
/** A new direction shorter than this part of σ₁ means that the Krylov space is closed. */
const CLOSED = 1e-13
/** Steps between two looks at the residuals. */
const STRIDE = 12

/**
 * The first `k` triplets that the start leads to; undefined where the Krylov space closes or `maxSteps` end first. Of a σ
 * that M has several times it sees one.
 */
export function leadingTriplets(
  M: Operator,
  k: number,
  maxSteps = Math.min(M.rows, M.columns),
): LeadingTriplets | undefined {
  const { rows, columns } = M
  const most = Math.min(maxSteps, rows, columns)
  if (k > most) return undefined
  const U = new Float64Array(most * rows)
  const V = new Float64Array((most + 1) * columns)
  const [α, β] = [new Float64Array(most), new Float64Array(most)]
  V.set(M.start ?? fillNormal(new Float64Array(columns), randomStream(columns, 'golub-kahan')))
  scaleToUnit(V.subarray(0, columns))
  let largest = 0
  for (let j = 0; j < most; j++) {
    const u = U.subarray(j * rows, (j + 1) * rows)
    M.times(V.subarray(j * columns, (j + 1) * columns), u)
    if (j > 0) addMultiple(u, 0, -β[j - 1]!, U, (j - 1) * rows, rows)
    α[j] = orthogonalised(u, U, j, rows)
    const v = V.subarray((j + 1) * columns, (j + 2) * columns)
    M.timesTransposed(u, v)
    addMultiple(v, 0, -α[j]!, V, j * columns, columns)
    β[j] = orthogonalised(v, V, j + 1, columns)
    largest = Math.max(largest, α[j]!, β[j]!)
    const isClosed = !(Math.min(α[j]!, β[j]!) > CLOSED * largest)
    const size = j + 1
    const isDue = size >= k + STRIDE && (size - k) % STRIDE === 0
    if (isDue || size === most || (isClosed && size >= k)) {
      const found = settled(U, rows, α, β, size, k, columns === size || isClosed)
      if (found) return found
    }
    if (isClosed) return undefined
  }
  return undefined
}

/** The Ritz triplets of the first `size` steps, where all k have settled. */
function settled(
  U: Float64Array,
  rows: number,
  α: Float64Array,
  β: Float64Array,
  size: number,
  k: number,
  isWhole: boolean,
): LeadingTriplets | undefined {
  const T = interleaved(α, β, size)
  const singularValues = leadingTridiagonalValues(T, k)
  const last = isWhole ? 0 : β[size - 1]!
  const vectors = tridiagonalVectors(T, singularValues, k)
  if (!vectors) return undefined
  const left = new Float64Array(k * rows)
  for (let i = 0; i < k; i++) {
    const z = vectors.subarray(i * 2 * size, (i + 1) * 2 * size)
    if (last * Math.abs(z[2 * size - 1]!) * Math.SQRT2 > RESIDUAL * singularValues[0]!)
      return undefined
    for (let j = 0; j < size; j++) {
      addMultiple(left, i * rows, z[2 * j + 1]! * Math.SQRT2, U, j * rows, rows)
    }
    scaleToUnit(left.subarray(i * rows, (i + 1) * rows))
  }
  return { singularValues, left }
}

/** [[0, B], [Bᵀ, 0]] with v_j and u_j taken in turn: tridiagonal with 0 on its diagonal, and eigenvalues ±σ. */
function interleaved(α: Float64Array, β: Float64Array, size: number): Bands {
  const off = new Float64Array(2 * size)
  for (let j = 0; j < size; j++) {
    off[2 * j + 1] = α[j]!
    if (j + 1 < size) off[2 * j + 2] = β[j]!
  }
  return { diagonal: new Float64Array(2 * size), off }
}

/** Takes the first `count` rows of `basis` out of x, makes it a unit vector, and gives the length that was left. */
function orthogonalised(
  x: Float64Array,
  basis: Float64Array,
  count: number,
  width: number,
): number {
  let before = Math.sqrt(dot(x, 0, x, 0, width))
  for (let pass = 0; pass < 3; pass++) {
    for (let i = 0; i < count; i++) {
      addMultiple(x, 0, -dot(x, 0, basis, i * width, width), basis, i * width, width)
    }
    const after = Math.sqrt(dot(x, 0, x, 0, width))
    // Once is enough where little was taken out (Daniel, Gragg, Kaufman and Stewart 1976).
    const isClean = after > 0.7 * before
    before = after
    if (isClean) break
  }
  if (before > 0) for (let t = 0; t < width; t++) x[t]! /= before
  return before
}

function scaleToUnit(x: Float64Array): void {
  const length = Math.sqrt(dot(x, 0, x, 0, x.length))
  for (let t = 0; t < x.length; t++) x[t]! /= length
}
