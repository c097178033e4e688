/**
 * @file A symmetric matrix by way of a tridiagonal one: G = Q T Qᵀ (Householder), the eigenvalues of T (implicit QL),
 * and its leading eigenvectors (inverse iteration). For when not every eigenvector is wanted: a third of the time.
 */
import { dot } from './matrix.ts'
import { fillNormal, seededUniform } from './random.ts'

/** T's diagonal `[p]`, what lies beside it (`off[i]` between i − 1 and i) `[p]`, and Q as reflectors I − β v vᵀ. */
export type Tridiagonal = {
  diagonal: Float64Array
  off: Float64Array
  /** Row i of `[p, p]` begins with the i numbers of v_i. */
  reflectors: Float64Array
  β: Float64Array
}

/** Householder's reduction from the last row up, on the lower triangle. */
export function tridiagonalise(G: Float64Array, p: number): Tridiagonal {
  const A = G.slice()
  const [off, β, v, w] = [0, 0, 0, 0].map(() => new Float64Array(p)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  for (let i = p - 1; i > 0; i--) {
    const row = A.subarray(i * p, i * p + i)
    const last = row[i - 1]!
    const rest = dot(row, 0, row, 0, i - 1)
    off[i] = last
    if (rest === 0) continue
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

/** y = S x for the leading block S `[size, size]` of the symmetric A, of which only the lower triangle is read. */
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

/** Every eigenvalue of T, descending: implicit QL with Wilkinson's shift (Bowdler et al. 1968), without vectors. */
export function tridiagonalValues({ diagonal, off }: Tridiagonal): Float64Array {
  const d = diagonal.slice()
  const p = d.length
  const e = new Float64Array(p)
  e.set(off.subarray(1))
  const negligible = 1e-3 * Number.EPSILON * spread(diagonal, off)
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

/** A bound on |λ| (Gershgorin). */
function spread(diagonal: Float64Array, off: Float64Array): number {
  return diagonal.reduce(
    (most, d, i) => Math.max(most, Math.abs(d) + Math.abs(off[i]!) + Math.abs(off[i + 1] ?? 0)),
    0,
  )
}

/**
 * Orthonormal eigenvectors of G for the first `k` of `values`, as rows `[k, p]`; undefined where inverse iteration does
 * not reach rounding, so that the caller takes the full decomposition.
 */
export function leadingVectors(
  T: Tridiagonal,
  values: Float64Array,
  k: number,
): Float64Array | undefined {
  const { diagonal, off } = T
  const p = diagonal.length
  const size = spread(diagonal, off)
  const out = new Float64Array(k * p)
  const uniform = seededUniform(p)
  for (let j = 0; j < k; j++) {
    const z = fillNormal(out.subarray(j * p, (j + 1) * p), uniform)
    for (let pass = 0; pass < 4; pass++) {
      solveShifted(T, values[j]!, size, z)
      for (let i = 0; i < j; i++) subtractShare(z, out, i * p)
      normalise(z)
    }
    for (let i = 0; i < j; i++) subtractShare(z, out, i * p)
    normalise(z)
    if (!(residualOf(T, values[j]!, z) <= 16 * p * Number.EPSILON * size)) return undefined
  }
  turnBack(T, out, k)
  return out
}

function subtractShare(z: Float64Array, basis: Float64Array, start: number) {
  const share = dot(z, 0, basis, start, z.length)
  for (let t = 0; t < z.length; t++) z[t]! -= share * basis[start + t]!
}

function normalise(z: Float64Array) {
  const largest = z.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  for (let t = 0; t < z.length; t++) z[t]! /= largest
  const norm = Math.sqrt(dot(z, 0, z, 0, z.length))
  for (let t = 0; t < z.length; t++) z[t]! /= norm
}

/** z ← (T − λI)⁻¹ z by elimination with partial pivoting; a pivot that vanishes is given the size of a rounding. */
function solveShifted({ diagonal, off }: Tridiagonal, λ: number, size: number, z: Float64Array) {
  const p = z.length
  const floor = Number.EPSILON * size
  const [pivot, first, second] = [0, 0, 0].map(() => new Float64Array(p)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  let a = diagonal[0]! - λ
  let b = off[1] ?? 0
  for (let i = 0; i < p; i++) {
    if (i === p - 1) {
      pivot[i] = Math.abs(a) < floor ? floor : a
      break
    }
    const below = off[i + 1]!
    const next = diagonal[i + 1]! - λ
    const beyond = off[i + 2] ?? 0
    if (Math.abs(a) >= Math.abs(below)) {
      pivot[i] = Math.abs(a) < floor ? floor : a
      first[i] = b
      const factor = below / pivot[i]!
      z[i + 1]! -= factor * z[i]!
      a = next - factor * b
      b = beyond
    } else {
      pivot[i] = below
      first[i] = next
      second[i] = beyond
      const factor = a / below
      const upper = z[i]!
      z[i] = z[i + 1]!
      z[i + 1] = upper - factor * z[i]!
      a = b - factor * next
      b = -factor * beyond
    }
  }
  for (let i = p - 1; i >= 0; i--) {
    const known = first[i]! * (z[i + 1] ?? 0) + second[i]! * (z[i + 2] ?? 0)
    z[i] = (z[i]! - known) / pivot[i]!
  }
}

/** max |T z − λ z|. */
function residualOf({ diagonal, off }: Tridiagonal, λ: number, z: Float64Array): number {
  let worst = 0
  for (let i = 0; i < z.length; i++) {
    const beside = off[i]! * (z[i - 1] ?? 0) + (off[i + 1] ?? 0) * (z[i + 1] ?? 0)
    worst = Math.max(worst, Math.abs((diagonal[i]! - λ) * z[i]! + beside))
  }
  return worst
}

/** Z ← Z Qᵀ for rows of Z `[k, p]`: the reflectors in the reverse of the order in which they were made. */
function turnBack({ reflectors, β }: Tridiagonal, Z: Float64Array, k: number) {
  const p = β.length
  for (let j = 0; j < k; j++) {
    const z = Z.subarray(j * p, (j + 1) * p)
    for (let i = 1; i < p; i++) {
      const factor = β[i]! * dot(z, 0, reflectors, i * p, i)
      if (factor === 0) continue
      for (let t = 0; t < i; t++) z[t]! -= factor * reflectors[i * p + t]!
    }
  }
}
