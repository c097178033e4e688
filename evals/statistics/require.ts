/** @file Argument checks of this room. A failed check is a bug of the caller. */

/** Throws unless every named value is a whole number ≥ 0 that float64 represents exactly. */
export function requireCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new Error(`internal: ${name} must be a whole number of at least 0; got ${value}`)
    }
  }
}

/** Throws unless 0 < `value` < 1. */
export function requireShare(name: string, value: number): void {
  if (!(value > 0 && value < 1)) {
    throw new Error(`internal: ${name} must lie between 0 and 1; got ${value}`)
  }
}
