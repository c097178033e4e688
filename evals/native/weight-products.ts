/**
 * @file Products of rows with a weight as stored, in TypeScript; pieces of the weight are widened to float64 to fit the cache.
 */
import type { Numerics } from './numerics.ts'
import { rowProducts } from './row-products.ts'
import { addRows } from './vector-products.ts'

/** Rows of the weight per piece. */
const PIECE = 32

export const throughWeight: Numerics['throughWeight'] = (Y, r, W, m, n, transposed) => {
  const out = new Float64Array(r * (transposed ? m : n))
  const piece = new Float64Array(PIECE * n)
  for (let first = 0; first < m; first += PIECE) {
    const height = Math.min(PIECE, m - first)
    piece.set(W.subarray(first * n, (first + height) * n))
    const products = transposed ? rowProducts(Y, r, piece, height, n) : undefined
    for (let a = 0; a < r; a++) {
      if (products) {
        out.set(products.subarray(a * height, (a + 1) * height), a * m + first)
      } else {
        const shares = Y.subarray(a * m + first, a * m + first + height)
        addRows(out.subarray(a * n, (a + 1) * n), 1, shares, piece, height)
      }
    }
  }
  return out
}
