/** @file Small cases of LQ-LoRA's allocation, three matrices of four choices, and the best of all their combinations. */
import type { Choice } from '../../../evals/models/weights/compression/allocation.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

interface SmallCase {
  readonly matrices: readonly (readonly Choice[])[]
  readonly budget: number
}

/** Errors fall about as 4^(−bits), each matrix with a size and an importance of its own. */
export function smallCases(count: number): SmallCase[] {
  const { uniform } = randomStream(19, 'allocations')
  return Array.from({ length: count }, () => {
    const matrices = Array.from({ length: 3 }, () => {
      const [size, weight] = [1 + uniform(), 1 + 9 * uniform()]
      return [2, 3, 4, 8].map((bits) => ({
        bits: size * (bits + 0.5 * uniform()),
        error: weight * (1 + 0.3 * uniform()) * 4 ** (2 - bits),
      }))
    })
    const sums = [Math.min, Math.max].map((of) =>
      matrices.reduce((sum, choices) => sum + of(...choices.map(({ bits }) => bits)), 0),
    )
    return { matrices, budget: sums[0]! + uniform() * (sums[1]! - sums[0]!) }
  })
}

/** Of every combination within the budget. */
export function bestOfAll([first, second, third]: SmallCase['matrices'], budget: number) {
  const all = first!.flatMap((a) => second!.flatMap((b) => third!.map((c) => [a, b, c])))
  const sums = all.map((own) => ({
    bits: own.reduce((sum, { bits }) => sum + bits, 0),
    error: own.reduce((sum, { error }) => sum + error, 0),
  }))
  const within = sums.filter(({ bits }) => bits <= budget)
  return within.reduce((best, each) => (each.error < best.error ? each : best))
}
