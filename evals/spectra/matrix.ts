/**
 * @file Dense matrices for the spectra room, in float64, and the one product that everything rests on:
 * A Bᵀ from rows, of which the Gram matrix A Aᵀ is the symmetric case.
 */
import { TouchstoneError } from '../errors.ts'

/** A weight as the checkpoint gives it. */
export type Numbers = Float32Array | Float64Array

/** A weight `[rows, columns]`, row-major, as in the checkpoint: one row is one output neuron. */
export type Matrix = { rows: number; columns: number; data: Numbers }

/** `count` vectors of `dimension` numbers each, one after another: vector j starts at j · dimension. */
export type Vectors = { dimension: number; count: number; data: Float64Array }

/** Vector j as a view; writing to it writes to `vectors`. */
export function vector({ data, dimension }: Vectors, j: number): Float64Array {
  return data.subarray(j * dimension, (j + 1) * dimension)
}

/** The numbers of W in float64. Throws `spectrum.not-finite` on NaN or an infinity, naming the weight. */
export function finiteNumbers(W: Matrix, weight: string): Float64Array {
  if (W.rows < 1 || W.columns < 1 || W.data.length !== W.rows * W.columns) {
    throw new Error(
      `internal: ${weight} is [${W.rows}, ${W.columns}] with ${W.data.length} numbers`,
    )
  }
  const bad = W.data.findIndex((x) => !Number.isFinite(x))
  if (bad >= 0) {
    const row = Math.floor(bad / W.columns)
    throw new TouchstoneError('spectrum.not-finite', {
      weight,
      found: String(W.data[bad]),
      row,
      column: bad - row * W.columns,
    })
  }
  return new Float64Array(W.data)
}

/** Σ_t X[x + t] Y[y + t] over `length` numbers. */
export function dot(X: Float64Array, x: number, Y: Float64Array, y: number, length: number) {
  let [even, odd] = [0, 0]
  let t = 0
  for (; t + 1 < length; t += 2) {
    even += X[x + t]! * Y[y + t]!
    odd += X[x + t + 1]! * Y[y + t + 1]!
  }
  return t < length ? even + odd + X[x + t]! * Y[y + t]! : even + odd
}

/** Y[y + t] += factor · X[x + t] over `length` numbers. */
export function addMultiple(
  Y: Float64Array,
  y: number,
  factor: number,
  X: Float64Array,
  x: number,
  length: number,
) {
  for (let t = 0; t < length; t++) Y[y + t]! += factor * X[x + t]!
}

/** X x `[p]` for X `[p, x.length]`. */
export const apply = (X: Float64Array, x: Float64Array, p: number): Float64Array =>
  applyInto(new Float64Array(p), X, x, p)

/** The same into the first p numbers of `out`, four rows at a time, so that x is read once for them. */
export function applyInto(out: Float64Array, X: Float64Array, x: Float64Array, p: number) {
  const width = x.length
  let i = 0
  for (; i + 4 <= p; i += 4) {
    const [a0, a1, a2, a3] = [i * width, (i + 1) * width, (i + 2) * width, (i + 3) * width]
    let [s0, s1, s2, s3] = [0, 0, 0, 0]
    for (let t = 0; t < width; t++) {
      const value = x[t]!
      s0 += X[a0 + t]! * value
      s1 += X[a1 + t]! * value
      s2 += X[a2 + t]! * value
      s3 += X[a3 + t]! * value
    }
    out[i] = s0
    out[i + 1] = s1
    out[i + 2] = s2
    out[i + 3] = s3
  }
  for (; i < p; i++) out[i] = dot(X, i * width, x, 0, width)
  return out
}

/** x += factor · Σ_i y_i X_i over the first `count` rows of X `[…, x.length]`, four at a time, so that x is written once for them. */
export function addRows(
  x: Float64Array,
  factor: number,
  y: Float64Array,
  X: Float64Array,
  count: number,
): void {
  const width = x.length
  let i = 0
  for (; i + 4 <= count; i += 4) {
    const [a0, a1, a2, a3] = [i * width, (i + 1) * width, (i + 2) * width, (i + 3) * width]
    const [y0, y1, y2, y3] = [i, i + 1, i + 2, i + 3].map((at) => factor * y[at]!) as [
      number,
      number,
      number,
      number,
    ]
    for (let t = 0; t < width; t++) {
      x[t]! += y0 * X[a0 + t]! + y1 * X[a1 + t]! + (y2 * X[a2 + t]! + y3 * X[a3 + t]!)
    }
  }
  for (; i < count; i++) addMultiple(x, 0, factor * y[i]!, X, i * width, width)
}

/** Xᵀ x `[width]` for X `[x.length, width]`. */
export function applyTransposed(X: Numbers, x: Float64Array, width: number): Float64Array {
  const out = new Float64Array(width)
  for (let i = 0; i < x.length; i++) {
    const factor = x[i]!
    for (let t = 0; t < width; t++) out[t]! += factor * X[i * width + t]!
  }
  return out
}

/** Divides each of the first `count` rows of X `[…, width]` by its length, which must not be 0. */
export function normaliseRows(X: Float64Array, width: number, count: number) {
  for (let i = 0; i < count; i++) {
    const row = X.subarray(i * width, (i + 1) * width)
    const length = Math.sqrt(dot(row, 0, row, 0, width))
    for (let t = 0; t < width; t++) row[t]! /= length
  }
}

/** Xᵀ `[columns, rows]` of X `[rows, columns]`, tile by tile so that both sides stay in the cache. */
export function transposed(X: Float64Array, rows: number, columns: number): Float64Array {
  const TILE = 32
  const out = new Float64Array(X.length)
  for (let i0 = 0; i0 < rows; i0 += TILE) {
    for (let j0 = 0; j0 < columns; j0 += TILE) {
      for (let i = i0; i < Math.min(i0 + TILE, rows); i++) {
        for (let j = j0; j < Math.min(j0 + TILE, columns); j++) {
          out[j * rows + i] = X[i * columns + j]!
        }
      }
    }
  }
  return out
}

/** Columns taken at once, so that eight strips of rows (16 kB) fit the first cache. */
const STRIP = 256

/** A Bᵀ `[p, q]` of A `[p, width]` and B `[q, width]`; `half` fills only the blocks on and below the diagonal. */
export function rowProducts(
  A: Float64Array,
  p: number,
  B: Float64Array,
  q: number,
  width: number,
  half = false,
): Float64Array {
  const out = new Float64Array(p * q)
  for (let start = 0; start < width; start += STRIP) {
    const length = Math.min(STRIP, width - start)
    for (let i = 0; i < p; i += 4) {
      const columns = half ? Math.min(q, i + 4) : q
      for (let j = 0; j < columns; j += 2) {
        if (i + 4 <= p && j + 2 <= q) {
          addBlock(A, i * width + start, B, j * width + start, width, length, out, i * q + j, q)
        } else {
          addEdge(A, i, p, B, j, q, width, start, length, out)
        }
      }
    }
  }
  return out
}

/** The Gram matrix X Xᵀ `[p, p]` of X `[p, width]`. */
export function gram(X: Float64Array, p: number, width: number): Float64Array {
  const G = rowProducts(X, p, X, p, width, true)
  for (let i = 0; i < p; i++) {
    for (let j = 0; j < i; j++) G[j * p + i] = G[i * p + j]!
  }
  return G
}

/** Adds the 4 × 2 block of products at `out[o]`: eight sums held in registers over one strip. */
function addBlock(
  A: Float64Array,
  a: number,
  B: Float64Array,
  b: number,
  width: number,
  length: number,
  out: Float64Array,
  o: number,
  stride: number,
) {
  let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0]
  const [a1, a2, a3, b1] = [a + width, a + 2 * width, a + 3 * width, b + width]
  for (let t = 0; t < length; t++) {
    const y0 = B[b + t]!
    const y1 = B[b1 + t]!
    const x0 = A[a + t]!
    const x1 = A[a1 + t]!
    const x2 = A[a2 + t]!
    const x3 = A[a3 + t]!
    s00 += x0 * y0
    s01 += x0 * y1
    s10 += x1 * y0
    s11 += x1 * y1
    s20 += x2 * y0
    s21 += x2 * y1
    s30 += x3 * y0
    s31 += x3 * y1
  }
  out[o]! += s00
  out[o + 1]! += s01
  out[o + stride]! += s10
  out[o + stride + 1]! += s11
  out[o + 2 * stride]! += s20
  out[o + 2 * stride + 1]! += s21
  out[o + 3 * stride]! += s30
  out[o + 3 * stride + 1]! += s31
}

/** The same where fewer than 4 rows or 2 columns are left. */
function addEdge(
  A: Float64Array,
  i0: number,
  p: number,
  B: Float64Array,
  j0: number,
  q: number,
  width: number,
  start: number,
  length: number,
  out: Float64Array,
) {
  for (let i = i0; i < Math.min(i0 + 4, p); i++) {
    for (let j = j0; j < Math.min(j0 + 2, q); j++) {
      let sum = 0
      for (let t = start; t < start + length; t++) sum += A[i * width + t]! * B[j * width + t]!
      out[i * q + j]! += sum
    }
  }
}
