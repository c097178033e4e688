/**
 * @file LQ-LoRA's allocation (Guo et al. 2023, §3.3): one format for each matrix so that Σ error² is least within a budget of bits.
 * The paper solves an integer program. Here: with a price μ of a bit each matrix takes argmin(error² + μ·bits); μ is bisected to
 * the least that keeps the budget; what is left is filled greedily by the steps that save the most error a bit.
 */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'

/** One way of storing one matrix. */
export interface Choice {
  /** Of the whole matrix. */
  readonly bits: number
  readonly error: number
}

interface Allocated {
  /** Index of the choice of each matrix. */
  readonly chosen: readonly number[]
  readonly bits: number
  readonly error: number
}

const BISECTIONS = 60

/** @param budget bits of all matrices together; throws `compress.budget` where even the smallest choices take more */
export function allocate(matrices: readonly (readonly Choice[])[], budget: number): Allocated {
  const at = (price: number) => matrices.map((choices) => cheapest(choices, price))
  const takes = (chosen: readonly number[]) => totals(matrices, chosen).bits
  const smallest = matrices.map((choices) => indexOfLeast(choices, ({ bits }) => bits))
  const least = takes(smallest)
  if (least > budget) throw new TouchstoneError('compress.budget', { budget, least })
  const free = at(0)
  if (takes(free) <= budget) return totals(matrices, free)
  // Above this price nothing but the smallest is worth it, unless errors are equal.
  let [low, high] = [0, 1]
  while (takes(at(high)) > budget && high < Number.MAX_VALUE / 2) high *= 2
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2
    if (takes(at(middle)) > budget) low = middle
    else high = middle
  }
  return totals(matrices, filled(matrices, at(high), budget))
}

/** Lowest error² + μ·bits; of equal ones that of fewer bits. */
const cheapest = (choices: readonly Choice[], price: number): number =>
  indexOfLeast(choices, ({ bits, error }) => error + price * bits)

function indexOfLeast(choices: readonly Choice[], value: (choice: Choice) => number): number {
  let best = 0
  choices.forEach((choice, i) => {
    const [own, least] = [value(choice), value(choices[best]!)]
    if (own < least || (own === least && choice.bits < choices[best]!.bits)) best = i
  })
  return best
}

/** Takes the change that saves the most error a bit while any fits. */
function filled(
  matrices: readonly (readonly Choice[])[],
  start: readonly number[],
  budget: number,
): number[] {
  const chosen = [...start]
  let left = budget - totals(matrices, chosen).bits
  for (;;) {
    let best: { matrix: number; choice: number; gain: number } | undefined
    matrices.forEach((choices, matrix) => {
      const now = choices[chosen[matrix]!]!
      choices.forEach(({ bits, error }, choice) => {
        const more = bits - now.bits
        if (error >= now.error || more > left) return
        const gain = more <= 0 ? Infinity : (now.error - error) / more
        if (gain > (best?.gain ?? 0)) best = { matrix, choice, gain }
      })
    })
    if (!best) return chosen
    const { matrix, choice } = best
    left -= matrices[matrix]![choice]!.bits - matrices[matrix]![chosen[matrix]!]!.bits
    chosen[matrix] = choice
  }
}

function totals(matrices: readonly (readonly Choice[])[], chosen: readonly number[]): Allocated {
  const own = chosen.map((choice, matrix) => matrices[matrix]![choice]!)
  return {
    chosen,
    bits: own.reduce((sum, { bits }) => sum + bits, 0),
    error: own.reduce((sum, { error }) => sum + error, 0),
  }
}
