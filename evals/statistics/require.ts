/** @file Checks on the arguments of this room; a failed one is a bug of the caller, never of the user. */

/** Throws unless every named value is a whole number ≥ 0 that float64 holds exactly. */
export function requireCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new Error(`internal: ${name} must be a whole number of at least 0; got ${value}`)
    }
  }
}

/** Throws unless `value` lies strictly between 0 and 1. */
export function requireShare(name: string, value: number): void {
  if (!(value > 0 && value < 1)) {
    throw new Error(`internal: ${name} must lie between 0 and 1; got ${value}`)
  }
}
