/**
 * @file Logistic regression with an L2 penalty on standardised columns: least Σ log(1 + e^(−y·z))/n + λ/2·‖w‖², z = w·x + b,
 * y = ±1, by Nesterov's accelerated gradient (1983) with step 1/L, until the gradient is small.
 */

interface LogisticFit {
  /** Log-odds of the positive class. */
  readonly score: (x: readonly number[]) => number
  /** ‖∇‖ of the penalised mean loss at the end. */
  readonly gradientNorm: number
}

const STEPS = 5000
const SMALL = 1e-7

export function fitLogistic(
  rows: readonly (readonly number[])[],
  isPositive: readonly boolean[],
  penalty: number,
): LogisticFit {
  const { centre, scale } = standardised(rows)
  const given = rows.map((row) => row.map((x, j) => (x - centre[j]!) * scale[j]!))
  const width = centre.length
  const step = 1 / (SAFETY * (curvature(given) / 4 + penalty))
  let w = new Float64Array(width + 1)
  let ahead = w
  let gradient = gradientAt(given, isPositive, penalty, ahead)
  for (let t = 0; t < STEPS && norm(gradient) > SMALL; t++) {
    const next = ahead.map((value, j) => value - step * gradient[j]!)
    const momentum = t / (t + 3)
    // Restarted where momentum leads uphill (O’Donoghue and Candès 2015).
    const isUphill = next.reduce((sum, value, j) => sum + gradient[j]! * (value - w[j]!), 0) > 0
    ahead = isUphill ? next : next.map((value, j) => value + momentum * (value - w[j]!))
    w = next
    gradient = gradientAt(given, isPositive, penalty, ahead)
  }
  const fitted = ahead
  return {
    score: (x) =>
      fitted[width]! + x.reduce((sum, v, j) => sum + fitted[j]! * (v - centre[j]!) * scale[j]!, 0),
    gradientNorm: norm(gradient),
  }
}

/** The power iteration comes near to the largest eigenvalue from below. */
const SAFETY = 1.5
const POWERS = 30

/** Largest eigenvalue of XᵀX/n of rows with a 1 appended. */
function curvature(rows: readonly (readonly number[])[]): number {
  const width = rows[0]!.length
  let direction = Float64Array.from({ length: width + 1 }, (_, j) => 1 + (j % 7))
  let value = 0
  for (let t = 0; t < POWERS; t++) {
    const next = new Float64Array(width + 1)
    const size = norm(direction)
    for (const x of rows) {
      const along = (dot(x, direction) + direction[width]!) / (size * rows.length)
      for (let j = 0; j < width; j++) next[j]! += along * x[j]!
      next[width]! += along
    }
    direction = next
    value = norm(next)
  }
  return value
}

/** Columns without spread get the scale 0. */
function standardised(rows: readonly (readonly number[])[]) {
  const n = rows.length
  const centre = rows[0]!.map((_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / n)
  const scale = centre.map((mean, j) => {
    const spread = Math.sqrt(rows.reduce((sum, row) => sum + (row[j]! - mean) ** 2, 0) / n)
    return spread === 0 ? 0 : 1 / spread
  })
  return { centre, scale }
}

/** The last number is the intercept's, which is not penalised. */
function gradientAt(
  rows: readonly (readonly number[])[],
  isPositive: readonly boolean[],
  penalty: number,
  w: Float64Array,
): Float64Array {
  const width = w.length - 1
  const gradient = w.map((value, j) => (j === width ? 0 : penalty * value))
  rows.forEach((x, i) => {
    const z = w[width]! + dot(x, w)
    const error = (1 / (1 + Math.exp(-z)) - Number(isPositive[i])) / rows.length
    for (let j = 0; j < width; j++) gradient[j]! += error * x[j]!
    gradient[width]! += error
  })
  return gradient
}

const dot = (x: readonly number[], w: ArrayLike<number>) =>
  x.reduce((sum, value, j) => sum + value * w[j]!, 0)
const norm = (x: Float64Array) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0))
