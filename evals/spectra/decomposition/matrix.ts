/** @file Dense float64 matrices and their products, above all A Bᵀ by rows, with the Gram matrix A Aᵀ as its symmetric case. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { numerics } from '../../native/load.ts'
import type { Numerics } from '../../native/numerics.ts'

/** A weight's numbers as in the checkpoint. */
export type Numbers = Float32Array | Float64Array

/** A weight `[rows, columns]`, row-major as in the checkpoint: one row per output neuron. */
export type Matrix = { rows: number; columns: number; data: Numbers }

/** `count` vectors of `dimension` elements; vector j starts at j · dimension. */
export type Vectors = { dimension: number; count: number; data: Float64Array }

/** A view of vector j; writing to it writes to `vectors`. */
export function vector({ data, dimension }: Vectors, j: number): Float64Array {
  return data.subarray(j * dimension, (j + 1) * dimension)
}

/** The elements of W in float64. Throws `spectrum.not-finite` for NaN and infinities, naming the weight. */
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

/** Σ_t X[x + t] Y[y + t] over `length` elements. */
export function dot(X: Float64Array, x: number, Y: Float64Array, y: number, length: number) {
  let [even, odd] = [0, 0]
  let t = 0
  for (; t + 1 < length; t += 2) {
    even += X[x + t]! * Y[y + t]!
    odd += X[x + t + 1]! * Y[y + t + 1]!
  }
  return t < length ? even + odd + X[x + t]! * Y[y + t]! : even + odd
}

/** Y[y + t] += factor · X[x + t] over `length` elements. */
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

/** Writes X x to the first p elements of `out`. */
export function applyInto(out: Float64Array, X: Float64Array, x: Float64Array, p: number) {
  numerics().multiply(out, X, x, p)
  return out
}

/** x += factor · Σ_i y_i X_i over the first `count` rows of X `[…, x.length]`. */
export const addRows: Numerics['addRows'] = (...args) => numerics().addRows(...args)

/** Projects x onto the complement of a basis and normalises it. */
export const orthogonalise: Numerics['orthogonalise'] = (...args) =>
  numerics().orthogonalise(...args)

/** Xᵀ x `[width]` for X `[x.length, width]`. */
export function applyTransposed(X: Numbers, x: Float64Array, width: number): Float64Array {
  const out = new Float64Array(width)
  addRows(out, 1, x, X instanceof Float64Array ? X : new Float64Array(X), x.length)
  return out
}

/** Normalises each of the first `count` rows of X `[…, width]`, whose lengths must not be 0. */
export function normaliseRows(X: Float64Array, width: number, count: number) {
  for (let i = 0; i < count; i++) {
    const row = X.subarray(i * width, (i + 1) * width)
    const length = Math.sqrt(dot(row, 0, row, 0, width))
    for (let t = 0; t < width; t++) row[t]! /= length
  }
}

/** Xᵀ `[columns, rows]` of X `[rows, columns]`, in tiles that keep both sides in the cache. */
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

/** A Bᵀ `[p, q]` of A `[p, width]` and B `[q, width]`; `half` fills only the blocks on and below the diagonal. */
export const rowProducts: Numerics['rowProducts'] = (...args) => numerics().rowProducts(...args)

/** The Gram matrix X Xᵀ `[p, p]` of X `[p, width]`. */
export function gram(X: Float64Array, p: number, width: number): Float64Array {
  const G = rowProducts(X, p, X, p, width, true)
  for (let i = 0; i < p; i++) {
    for (let j = 0; j < i; j++) G[j * p + i] = G[i * p + j]!
  }
  return G
}
