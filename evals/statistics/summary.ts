/** @file Mean and sample standard deviation: s² = Σ(x − x̄)²/(n − 1). */

export function meanOf(values: readonly number[]): number {
  if (values.length === 0) throw new Error('internal: a mean needs at least one value')
  return values.reduce((sum, x) => sum + x, 0) / values.length
}

/** `sd` is null for a single value. */
export function meanAndSd(values: readonly number[]): { mean: number; sd: number | null } {
  const mean = meanOf(values)
  if (values.length === 1) return { mean, sd: null }
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0)
  return { mean, sd: Math.sqrt(squares / (values.length - 1)) }
}
