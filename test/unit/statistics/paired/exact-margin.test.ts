/** @file The exact test against its definition, the greatest P[T ≤ t] over a fine grid of the share gained; and n* at no variance. */
import { expect, test } from 'vitest'
import { marginTests, tangoScore } from '../../../../evals/statistics/paired/non-inferiority.ts'
import { effectiveChange } from '../../../../evals/statistics/repeated.ts'

const GRID = 8_000

/** By trinomial probabilities: lost q + δ, gained q, the rest unchanged. */
function greatest(lost: number, gained: number, n: number, margin: number): number {
  const logs = [0]
  for (let i = 1; i <= n; i++) logs.push(logs[i - 1]! + Math.log(i))
  const seen = tangoScore({ lost, gained, n }, margin)
  const cells = Array.from({ length: n + 1 }, (_, b) =>
    Array.from({ length: n + 1 - b }, (__, c) => ({ b, c, k: n - b - c })),
  )
    .flat()
    .filter(({ b, c }) => tangoScore({ lost: b, gained: c, n }, margin) <= seen + 1e-9)
  const term = (count: number, share: number) => (count === 0 ? 0 : count * Math.log(share))
  const below = (q: number) =>
    cells.reduce((sum, { b, c, k }) => {
      const ways = logs[n]! - logs[b]! - logs[c]! - logs[k]!
      const rest = Math.max(0, 1 - margin - 2 * q)
      return sum + Math.exp(ways + term(b, q + margin) + term(c, q) + term(k, rest))
    }, 0)
  const places = Array.from({ length: GRID + 1 }, (_, i) => ((1 - margin) / 2) * (i / GRID))
  return Math.max(...places.map(below))
}

test.each([
  [0, 0, 20, 0.1],
  [1, 1, 25, 0.1],
  [3, 2, 24, 0.2],
  [0, 1, 12, 0.2],
])('%i lost, %i gained of %i at %d: p is not short of the supremum', (lost, gained, n, margin) => {
  const short = greatest(lost, gained, n, margin) - marginTests({ lost, gained, n }, margin)!.below
  expect(short).toBeLessThan(1e-12)
  expect(short).toBeGreaterThan(-1e-7)
})

test('prompts that all change alike are worth one reply each, however their mean was rounded', () => {
  for (let prompts = 2; prompts <= 40; prompts++) {
    const alike = Array.from({ length: prompts }, () => ({ before: [1, 1, 1], after: [1, 1, 0] }))
    expect(effectiveChange(alike, 'more').n).toBe(prompts)
  }
})
