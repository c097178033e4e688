/** @file Products of a matrix with a vector in TypeScript, four rows at a time, so that the vector is read once for them. */

/** The first p numbers of `out` become X x, for X `[p, x.length]`. */
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
