/**
 * @file The exponent of a spectrum's tail: p(λ) ∝ λ^−α for λ ≥ xmin, with α̂ = 1 + n / Σ ln(λ_i / xmin) and xmin where the
 * Kolmogorov–Smirnov distance is least (Clauset, Shalizi and Newman, SIAM Review 51, 2009, §3.1 and §3.3). Taken of
 * λ = σ², as Martin and Mahoney do (JMLR 22, 2021); a heavy tail has a small α.
 */

type PowerLaw = {
  alpha: number
  xmin: number
  /** How many λ are ≥ xmin. */
  tail: number
  /** max |F_data − F_fit| over the tail. */
  distance: number
}

/** Fewer make no tail: α̂ then errs by more than (α − 1) / √8, and the KS distance chooses among accidents. */
export const SMALLEST_TAIL = 8

/** Null where fewer than `SMALLEST_TAIL` values are positive, or they are all alike. */
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
    // Rounding alone would make a steep law of equal values.
    if (tail < SMALLEST_TAIL || !isFirstOfItsKind || spread < 1e-9 * tail) continue
    const alpha = 1 + tail / spread
    const distance = distanceOf(logs, first, alpha)
    if (!best || distance < best.distance) best = { alpha, xmin: x[first]!, tail, distance }
  }
  return best
}

/** Kolmogorov and Smirnov's, from both sides of each step. */
function distanceOf(logs: Float64Array, first: number, alpha: number): number {
  const n = logs.length - first
  let worst = 0
  for (let i = 0; i < n; i++) {
    const fitted = 1 - Math.exp((1 - alpha) * (logs[first + i]! - logs[first]!))
    worst = Math.max(worst, Math.abs(fitted - i / n), Math.abs(fitted - (i + 1) / n))
  }
  return worst
}

/** λ = σ², relative to the largest so that no square overflows or vanishes; α does not depend on it. */
export function powerLawOfSpectrum(singularValues: ArrayLike<number>): PowerLaw | null {
  const largest = singularValues[0] ?? 0
  if (!(largest > 0)) return null
  const law = powerLaw(Float64Array.from(singularValues, (σ) => (σ / largest) ** 2))
  return law && { ...law, xmin: law.xmin * largest ** 2 }
}
