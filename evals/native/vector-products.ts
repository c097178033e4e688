/**
 * @file Products of a matrix with a vector in TypeScript, four rows at a time so that the vector is read once for four, and
 * orthogonalisation with them.
 */

/** Writes X x to the first p elements of `out`, for X `[p, x.length]`. */
export function multiply(out: Float64Array, X: Float64Array, x: Float64Array, p: number): void {
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
  for (; i < p; i++) {
    let sum = 0
    for (let t = 0; t < width; t++) sum += X[i * width + t]! * x[t]!
    out[i] = sum
  }
}

/** x += factor · Σ_i y_i X_i over the first `count` rows of X `[…, x.length]`. */
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
    const y0 = factor * y[i]!
    const y1 = factor * y[i + 1]!
    const y2 = factor * y[i + 2]!
    const y3 = factor * y[i + 3]!
    for (let t = 0; t < width; t++) {
      x[t]! += y0 * X[a0 + t]! + y1 * X[a1 + t]! + (y2 * X[a2 + t]! + y3 * X[a3 + t]!)
    }
  }
  for (; i < count; i++) {
    const share = factor * y[i]!
    for (let t = 0; t < width; t++) x[t]! += share * X[i * width + t]!
  }
}

/**
 * Projects x onto the complement of the first `count` rows of `basis`, normalises it, and returns its length before
 * normalising.
 */
export function orthogonalise(x: Float64Array, basis: Float64Array, count: number): number {
  const shares = new Float64Array(count)
  let before = lengthOf(x)
  for (let pass = 0; pass < 3; pass++) {
    multiply(shares, basis, x, count)
    addRows(x, -1, shares, basis, count)
    const after = lengthOf(x)
    // One pass suffices if little was removed (Daniel, Gragg, Kaufman and Stewart 1976).
    const isClean = after > 0.7 * before
    before = after
    if (isClean) break
  }
  if (before > 0) for (let t = 0; t < x.length; t++) x[t]! /= before
  return before
}

function lengthOf(x: Float64Array): number {
  let sum = 0
  for (const value of x) sum += value * value
  return Math.sqrt(sum)
}
