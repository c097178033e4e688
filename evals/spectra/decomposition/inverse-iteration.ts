/** @file Leading eigenvectors of a tridiagonalised matrix by inverse iteration, orthogonalised one by one. */
import { fillNormal, randomStream } from '../../statistics/random.ts'
import { dot } from './matrix.ts'
import { boundOf, reflect, type Bands, type Tridiagonal } from './tridiagonal.ts'

/**
 * Orthonormal eigenvectors of G for the first `k` of `values`, as rows `[k, p]`; undefined if inverse iteration does not
 * converge to rounding, so that the caller uses the full decomposition.
 */
export function leadingVectors(
  T: Tridiagonal,
  values: Float64Array,
  k: number,
): Float64Array | undefined {
  const p = T.diagonal.length
  const out = tridiagonalVectors(T, values, k)
  for (let j = 0; out && j < k; j++) reflect(T, out.subarray(j * p, (j + 1) * p))
  return out
}

/** The same for the tridiagonal matrix itself. */
export function tridiagonalVectors(
  T: Bands,
  values: Float64Array,
  k: number,
): Float64Array | undefined {
  const { diagonal, off } = T
  const p = diagonal.length
  const size = boundOf(diagonal, off)
  const out = new Float64Array(k * p)
  const stream = randomStream(p, 'inverse iteration')
  for (let j = 0; j < k; j++) {
    const z = fillNormal(out.subarray(j * p, (j + 1) * p), stream)
    for (let pass = 0; pass < 4; pass++) {
      solveShifted(T, values[j]!, size, z)
      for (let i = 0; i < j; i++) subtractShare(z, out, i * p)
      normalise(z)
    }
    for (let i = 0; i < j; i++) subtractShare(z, out, i * p)
    normalise(z)
    if (!(residualOf(T, values[j]!, z) <= 16 * p * Number.EPSILON * size)) return undefined
  }
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

/** z ← (T − λI)⁻¹ z by elimination with partial pivoting; a vanishing pivot is replaced by ε·size. */
function solveShifted(T: Bands, λ: number, size: number, z: Float64Array) {
  const [pivot, first, second] = eliminate(T, λ, Number.EPSILON * size, z)
  for (let i = z.length - 1; i >= 0; i--) {
    const known = first[i]! * (z[i + 1] ?? 0) + second[i]! * (z[i + 2] ?? 0)
    z[i] = (z[i]! - known) / pivot[i]!
  }
}

type Bands3 = readonly [diagonal: Float64Array, first: Float64Array, second: Float64Array]

/** Reduces T − λI to an upper triangle of three bands, and z with it. */
function eliminate({ diagonal, off }: Bands, λ: number, floor: number, z: Float64Array): Bands3 {
  const p = z.length
  const zeros = () => new Float64Array(p)
  const [pivot, first, second] = [zeros(), zeros(), zeros()]
  let a = diagonal[0]! - λ
  let b = off[1] ?? 0
  for (let i = 0; i < p - 1; i++) {
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
  pivot[p - 1] = Math.abs(a) < floor ? floor : a
  return [pivot, first, second]
}

/** max |T z − λ z|. */
function residualOf({ diagonal, off }: Bands, λ: number, z: Float64Array): number {
  let worst = 0
  for (let i = 0; i < z.length; i++) {
    const beside = off[i]! * (z[i - 1] ?? 0) + (off[i + 1] ?? 0) * (z[i + 1] ?? 0)
    worst = Math.max(worst, Math.abs((diagonal[i]! - λ) * z[i]! + beside))
  }
  return worst
}
