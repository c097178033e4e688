/** @file A stored comparison counts before − after; a reader asks what changed. */
import type { Comparison } from '../../evals/contract/results.ts'

export interface Change {
  readonly estimate: number
  readonly lower: number
  readonly upper: number
}

/** after − before of the rate; undefined where nothing was decided on both sides. */
export function changeOf({
  difference,
  lower,
  upper,
}: Pick<Comparison, 'difference' | 'lower' | 'upper'>): Change | undefined {
  if (difference === null || lower === null || upper === null) return undefined
  return { estimate: -difference, lower: -upper, upper: -lower }
}
