/**
 * @file The leading singular triplets of an operator by Golub–Kahan–Lanczos bidiagonalisation, M V = U B and
 * Mᵀ U = V Bᵀ + β v eᵀ, with full reorthogonalisation of both sides (Golub and Kahan 1965; Golub and Van Loan §10.4).
 */
import { fillNormal, randomStream } from '../../statistics/random.ts'
import { addMultiple, addRows, normaliseRows, orthogonalise } from './matrix.ts'
import { tridiagonalVectors } from './inverse-iteration.ts'
import { leadingTridiagonalValues, type Bands } from './tridiagonal.ts'

/** M `[rows, columns]` as a linear operator. Both functions write to `out`. */
export type Operator = {
  rows: number
  columns: number
  times: (v: Float64Array, out: Float64Array) => void
  timesTransposed: (u: Float64Array, out: Float64Array) => void
  /** Start vector `[columns]`: the nearer to the leading directions, the fewer steps. Default random. */
  start?: Float64Array
}

/** σ descending `[k]`, the left vectors as rows `[k, rows]`, and an estimate of the next σ, 0 if there is none. */
export type LeadingTriplets = { singularValues: Float64Array; left: Float64Array; next: number }

/**
 * Largest error of a direction: a Ritz pair with residual ρ and gap g to the nearest other σ is within 2ρ / g of the true one
 * (Davis and Kahan 1970). Residuals below `ROUNDING` σ₁ are not known.
 */
const TURN = 1e-8
const ROUNDING = 1e-14
/** Neighbours closer than this part of σ₁ have no directions of their own. */
const TIE = 1e-7
/** Below this part of σ₁ a direction needs the full decomposition. */
const FAINT = 1e-6

/** Whether each σ, and the last one from `next`, is far enough from its neighbours to have a direction. */
export function areDistinct({ singularValues: σ, next }: LeadingTriplets): boolean {
  const [first, last] = [σ[0]!, σ.at(-1)!]
  const isApart = (value: number, j: number) => value - (σ[j + 1] ?? next) > TIE * first
  return last > FAINT * first && σ.every(isApart)
}

/** A new direction shorter than this part of σ₁ means that the Krylov space is invariant. */
const CLOSED = 1e-13
/** Steps before the first check of the residuals, and between it and the second. */
const FIRST = 12
const STRIDE = 3
/** Most steps to a later check, however far off the residuals seem: convergence is faster than it begins. */
const FARTHEST = 12
/** Steps allocated at first; most spaces converge within them. */
const USUAL = 96

/**
 * The first `k` triplets reachable from the start vector; undefined if the Krylov space becomes invariant or `maxSteps` end
 * first. It finds one copy of a multiple σ, so the caller must check that none above `next` was missed.
 */
export function leadingTriplets(
  M: Operator,
  k: number,
  maxSteps = Math.min(M.rows, M.columns),
): LeadingTriplets | undefined {
  const { rows, columns } = M
  const most = Math.min(maxSteps, rows, columns)
  if (k > most) return undefined
  let due = k + FIRST
  let before: Check | undefined
  for (const { U, α, β, size, isClosed } of bidiagonalised(M, most)) {
    if (size !== due && size !== most && !(isClosed && size >= k)) continue
    const isWhole = columns === size || isClosed
    const found = settled(interleaved(α, β, size), isWhole ? 0 : β[size - 1]!, k)
    if (typeof found !== 'number') return { ...found, left: combined(found.vectors, U, rows, k) }
    const check = { size, excess: found }
    due = size + stepsAfter(before, check)
    before = check
  }
  return undefined
}

/** How many times larger than allowed a residual was. */
type Check = { size: number; excess: number }

/** Residuals shrink by about the same factor with each step, so two checks tell when the next one is worth its time. */
function stepsAfter(before: Check | undefined, now: Check): number {
  if (!before) return STRIDE
  const factor = Math.log(before.excess / now.excess) / (now.size - before.size)
  const steps = Math.ceil(Math.log(now.excess) / factor)
  return steps >= 1 && steps <= FARTHEST ? steps : STRIDE
}

/** The largest σ seen from a random start after so many steps; a lower bound of M's. */
export function largestSeen(M: Operator, steps: number): number {
  let seen = 0
  for (const { α, β, size, isClosed } of bidiagonalised(M, Math.min(steps, M.rows, M.columns))) {
    if (size < steps && !isClosed) continue
    seen = leadingTridiagonalValues(interleaved(α, β, size), 1)[0]!
  }
  return seen
}

type Step = {
  /** Left directions so far, as rows `[…, rows]`. */
  U: Float64Array
  α: Float64Array
  β: Float64Array
  size: number
  isClosed: boolean
}

/** Takes steps one by one, at most `most`, until the Krylov space is invariant. */
function* bidiagonalised(M: Operator, most: number): Generator<Step> {
  const { rows, columns } = M
  let room = Math.min(most, USUAL)
  let U = borrowed('U', room * rows)
  let V = borrowed('V', (room + 1) * columns)
  const [α, β] = [new Float64Array(most), new Float64Array(most)]
  V.set(M.start ?? fillNormal(new Float64Array(columns), randomStream(columns, 'golub-kahan')))
  normaliseRows(V, columns, 1)
  let largest = 0
  for (let j = 0; j < most; j++) {
    if (j === room) {
      room = Math.min(most, 2 * room)
      U = widened(U, room * rows)
      V = widened(V, (room + 1) * columns)
    }
    const u = U.subarray(j * rows, (j + 1) * rows)
    M.times(V.subarray(j * columns, (j + 1) * columns), u)
    if (j > 0) addMultiple(u, 0, -β[j - 1]!, U, (j - 1) * rows, rows)
    α[j] = orthogonalise(u, U, j)
    const v = V.subarray((j + 1) * columns, (j + 2) * columns)
    M.timesTransposed(u, v)
    addMultiple(v, 0, -α[j]!, V, j * columns, columns)
    β[j] = orthogonalise(v, V, j + 1)
    largest = Math.max(largest, α[j]!, β[j]!)
    const isClosed = !(Math.min(α[j]!, β[j]!) > CLOSED * largest)
    yield { U, α, β, size: j + 1, isClosed }
    if (isClosed) return
  }
}

/**
 * The last space's memory, reused because a megabyte per weight would burden the garbage collector. Every number is written
 * before it is read.
 */
const memory = { U: new Float64Array(0), V: new Float64Array(0) }

function borrowed(name: keyof typeof memory, length: number): Float64Array<ArrayBuffer> {
  if (memory[name].length < length) memory[name] = new Float64Array(length)
  return memory[name].subarray(0, length)
}

function widened(X: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const out = new Float64Array(length)
  out.set(X)
  return out
}

/**
 * The first k Ritz values of the interleaved T and their vectors `[k, 2·size]`, if all k have converged; else how many times larger
 * than allowed a residual is, infinite where no vector was found.
 */
function settled(T: Bands, last: number, k: number) {
  const length = T.diagonal.length
  const count = Math.min(k + 1, length / 2)
  const excessOf = (σ: Float64Array, largest: number, z: Float64Array) =>
    Math.max(
      ...Array.from(σ.subarray(0, z.length / length), (value, i) => {
        const gap = Math.min((σ[i - 1] ?? Infinity) - value, value - (σ[i + 1] ?? 0))
        const ρ = last * Math.abs(z[(i + 1) * length - 1]!)
        return ρ === 0 ? 0 : ρ / Math.max(TURN * gap, ROUNDING * largest)
      }),
    )
  // The last one usually converges last, and checking it alone is cheap.
  const end = leadingTridiagonalValues(T, count, k - 1)
  const lastVector = tridiagonalVectors(T, end, 1)
  if (!lastVector) return Infinity
  const lastExcess = excessOf(end, end[0]!, lastVector)
  if (!(lastExcess <= 1)) return lastExcess
  const values = leadingTridiagonalValues(T, count)
  const vectors = tridiagonalVectors(T, values, k)
  if (!vectors) return Infinity
  const excess = excessOf(values, values[0]!, vectors)
  if (!(excess <= 1)) return excess
  return { singularValues: values.slice(0, k), vectors, next: values[k] ?? 0 }
}

/** The left vectors of the Ritz vectors. */
function combined(vectors: Float64Array, U: Float64Array, rows: number, k: number): Float64Array {
  const left = new Float64Array(k * rows)
  const length = vectors.length / k
  for (let i = 0; i < k; i++) {
    const shares = vectors.subarray(i * length, (i + 1) * length).filter((_, at) => at % 2 === 1)
    addRows(left.subarray(i * rows, (i + 1) * rows), 1, shares, U, length / 2)
  }
  normaliseRows(left, rows, k)
  return left
}

/** [[0, B], [Bᵀ, 0]] with v_j and u_j interleaved: tridiagonal with a zero diagonal and eigenvalues ±σ. */
function interleaved(α: Float64Array, β: Float64Array, size: number): Bands {
  const off = new Float64Array(2 * size)
  for (let j = 0; j < size; j++) {
    off[2 * j + 1] = α[j]!
    if (j + 1 < size) off[2 * j + 2] = β[j]!
  }
  return { diagonal: new Float64Array(2 * size), off }
}
