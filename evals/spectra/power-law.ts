/**
 * @file The exponent of a spectrum's tail: p(λ) ∝ λ^−α for λ ≥ xmin, with α̂ = 1 + n / Σ ln(λ_i / xmin) and the xmin of least
 * Kolmogorov–Smirnov distance (Clauset, Shalizi and Newman, SIAM Review 51, 2009, §3.1 and §3.3). Applied to λ = σ², as by
 * Martin and Mahoney (JMLR 22, 2021); a heavy tail has a small α.
 */

type PowerLaw = {
  alpha: number
  xmin: number
  /** The number of λ ≥ xmin. */
  tail: number
  /** max |F_data − F_fit| over the tail. */
  distance: number
}

/** With fewer values the standard error of α̂ exceeds (α − 1) / √8, and the choice of xmin is arbitrary. */
export const SMALLEST_TAIL = 8

/** Null if fewer than `SMALLEST_TAIL` values are positive or all are equal. */
export function powerLaw(values: ArrayLike<number>): PowerLaw | null {
  const x = Float64Array.from(values)
    .filter((value) => value > 0 && Number.isFinite(value))
    .sort()
  const logs = x.map(Math.log)
  let best: PowerLaw | null = null
  let sum = 0
  for (let first = x.length - 1; first >= 0; first--) {
    sum += logs[first]!
    const tail = x.length - first
    const spread = sum - tail * logs[first]!
    const isFirstOfItsKind = first === 0 || x[first - 1]! < x[first]!
    // Rounding would give equal values a steep law.
    if (tail < SMALLEST_TAIL || !isFirstOfItsKind || spread < 1e-9 * tail) continue
    const alpha = 1 + tail / spread
    const distance = distanceOf(logs, first, alpha)
    if (!best || distance < best.distance) best = { alpha, xmin: x[first]!, tail, distance }
  }
  return best
}

/** The Kolmogorov–Smirnov distance, from both sides of each step. */
function distanceOf(logs: Float64Array, first: number, alpha: number): number {
  const n = logs.length - first
  let worst = 0
  for (let i = 0; i < n; i++) {
    const fitted = 1 - Math.exp((1 - alpha) * (logs[first + i]! - logs[first]!))
    worst = Math.max(worst, Math.abs(fitted - i / n), Math.abs(fitted - (i + 1) / n))
  }
  return worst
}

/** λ = σ² relative to the largest, so that no square overflows or underflows; α is scale-free. */
export function powerLawOfSpectrum(singularValues: ArrayLike<number>): PowerLaw | null {
  const largest = singularValues[0] ?? 0
  if (!(largest > 0)) return null
  const law = powerLaw(Float64Array.from(singularValues, (σ) => (σ / largest) ** 2))
  return law && { ...law, xmin: law.xmin * largest ** 2 }
}
