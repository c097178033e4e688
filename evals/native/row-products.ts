/** @file A Bᵀ of matrices stored by rows in TypeScript, blocked for registers and the first-level cache. */

/** Columns per strip: eight strips of rows (16 kB) fit the first-level cache. */
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

/** Adds the 4 × 2 block of products at `out[o]`, with eight sums in registers over one strip. */
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

/** The remaining block of fewer than 4 rows or 2 columns. */
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
