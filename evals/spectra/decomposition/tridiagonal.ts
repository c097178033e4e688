/**
 * @file Reduces a symmetric matrix to tridiagonal form, G = Q T Qᵀ (Householder), and computes T's eigenvalues. Q is not formed:
 * vectors are transformed by its reflections.
 */
import { numerics } from '../../native/load.ts'
import type { Bands } from '../../native/sturm.ts'
import { dot } from './matrix.ts'

export type { Bands }

/** T, and Q as reflectors I − β v vᵀ. */
export type Tridiagonal = Bands & {
  /** Row i of `[p, p]` starts with the i elements of v_i. */
  reflectors: Float64Array
  β: Float64Array
}

/** Of a smaller sum of squares, β would be infinite: elements of 1e-154 beside the Gram matrix's 1 are zeros. */
const SMALLEST_NORMAL = 2 ** -1022

/** Householder's reduction from the last row up, on the lower triangle. */
export function tridiagonalise(G: Float64Array, p: number): Tridiagonal {
  const A = G.slice()
  const zeros = () => new Float64Array(p)
  const [off, β, v, w] = [zeros(), zeros(), zeros(), zeros()]
  for (let i = p - 1; i > 0; i--) {
    const row = A.subarray(i * p, i * p + i)
    const last = row[i - 1]!
    const rest = dot(row, 0, row, 0, i - 1)
    off[i] = last
    if (rest < SMALLEST_NORMAL) continue
    const norm = Math.sqrt(rest + last * last)
    off[i] = last >= 0 ? -norm : norm
    row[i - 1]! -= off[i]!
    β[i] = 1 / (norm * (norm + Math.abs(last)))
    v.set(row)
    multiplyLower(A, p, v, w, i)
    for (let r = 0; r < i; r++) w[r]! *= β[i]!
    const half = (β[i]! / 2) * dot(v, 0, w, 0, i)
    for (let r = 0; r < i; r++) w[r]! -= half * v[r]!
    subtractOuter(A, p, v, w, i)
  }
  const diagonal = Float64Array.from({ length: p }, (_, i) => A[i * p + i]!)
  return { diagonal, off, reflectors: A, β }
}

/** y = S x for the leading block S `[size, size]` of the symmetric A; reads the lower triangle only. */
function multiplyLower(A: Float64Array, p: number, x: Float64Array, y: Float64Array, size: number) {
  y.fill(0, 0, size)
  for (let r = 0; r < size; r++) {
    const start = r * p
    const xr = x[r]!
    let sum = A[start + r]! * xr
    for (let c = 0; c < r; c++) {
      const a = A[start + c]!
      sum += a * x[c]!
      y[c]! += a * xr
    }
    y[r]! += sum
  }
}

/** A −= v wᵀ + w vᵀ on the lower triangle of the leading block. */
function subtractOuter(A: Float64Array, p: number, v: Float64Array, w: Float64Array, size: number) {
  for (let r = 0; r < size; r++) {
    const start = r * p
    const vr = v[r]!
    const wr = w[r]!
    for (let c = 0; c <= r; c++) A[start + c]! -= vr * w[c]! + wr * v[c]!
  }
}

/** Every eigenvalue of T, descending, by implicit QL with Wilkinson's shift (Bowdler et al. 1968). */
export function tridiagonalValues({ diagonal, off }: Bands): Float64Array {
  const d = diagonal.slice()
  const p = d.length
  const e = new Float64Array(p)
  e.set(off.subarray(1))
  const negligible = 1e-3 * Number.EPSILON * boundOf(diagonal, off)
  for (let l = 0; l < p; l++) {
    for (let sweep = 0; ; sweep++) {
      let m = l
      while (m < p - 1) {
        const nearby = Math.abs(d[m]!) + Math.abs(d[m + 1]!)
        if (Math.abs(e[m]!) <= Number.EPSILON * nearby + negligible) break
        m++
      }
      if (m === l) break
      if (sweep === 60) throw new Error('internal: QL did not settle in 60 sweeps')
      chaseBulge(d, e, l, m)
    }
  }
  return d.sort().reverse()
}

/** One QL sweep on rows l…m of the tridiagonal (d, e). */
function chaseBulge(d: Float64Array, e: Float64Array, l: number, m: number) {
  const tilt = (d[l + 1]! - d[l]!) / (2 * e[l]!)
  const root = Math.sqrt(tilt * tilt + 1)
  let g = d[m]! - d[l]! + e[l]! / (tilt + (tilt < 0 ? -root : root))
  let sine = 1
  let cosine = 1
  let shift = 0
  for (let i = m - 1; i >= l; i--) {
    const f = sine * e[i]!
    const b = cosine * e[i]!
    const r = Math.sqrt(f * f + g * g)
    e[i + 1] = r
    if (r === 0) {
      d[i + 1]! -= shift
      e[m] = 0
      return
    }
    sine = f / r
    cosine = g / r
    g = d[i + 1]! - shift
    const t = (d[i]! - g) * sine + 2 * cosine * b
    shift = sine * t
    d[i + 1] = g + shift
    g = cosine * t - b
  }
  d[l]! -= shift
  e[l] = g
  e[m] = 0
}

/** The `k` largest eigenvalues of T except the first `from`, descending. */
export const leadingTridiagonalValues = (T: Bands, k: number, from = 0): Float64Array =>
  numerics().tridiagonalValues(T, boundOf(T.diagonal, T.off), k, from)

/** A bound on |λ| (Gershgorin). */
export function boundOf(diagonal: Float64Array, off: Float64Array): number {
  return diagonal.reduce(
    (most, d, i) => Math.max(most, Math.abs(d) + Math.abs(off[i]!) + Math.abs(off[i + 1] ?? 0)),
    0,
  )
}

/** y ← Q y, from T's coordinates to G's, for y `[p]` in place. */
export function reflect({ reflectors, β }: Tridiagonal, y: Float64Array) {
  const p = β.length
  for (let i = 1; i < p; i++) {
    const factor = β[i]! * dot(y, 0, reflectors, i * p, i)
    if (factor === 0) continue
    for (let t = 0; t < i; t++) y[t]! -= factor * reflectors[i * p + t]!
  }
}
