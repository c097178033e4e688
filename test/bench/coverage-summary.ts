/** @file What the two makers of the table of coverage share. */

export const NOMINAL = 0.95
export const ALPHA = 0.05

/** Coverage over a grid: its mean, and its minimum with the place. */
export interface Coverage {
  readonly method: string
  readonly how: string
  readonly n: number
  readonly grid: string
  readonly mean: number
  readonly minimum: number
  readonly at: string
}

export const rounded = (value: number) => Number(value.toFixed(6))

export function summary(
  head: Pick<Coverage, 'method' | 'how' | 'n' | 'grid'>,
  values: readonly { readonly place: string; readonly covered: number }[],
): Coverage {
  const worst = values.reduce((a, b) => (b.covered < a.covered ? b : a))
  const mean = values.reduce((sum, { covered }) => sum + covered, 0) / values.length
  return { ...head, mean: rounded(mean), minimum: rounded(worst.covered), at: worst.place }
}

export function logFactorials(n: number): number[] {
  const logs = [0]
  for (let k = 1; k <= n; k++) logs.push(logs[k - 1]! + Math.log(k))
  return logs
}
