/** @file The steps at which an arm may be evaluated, and which of them bisection asks for. */
import { z } from 'zod'

/** Steps 0, N, 2N, … and the last; N is a quarter of the run by default. */
export function evaluationSteps(steps: number, every: number | null): number[] {
  const stride = every ?? Math.max(1, Math.ceil(steps / 4))
  const interior = Array.from({ length: Math.ceil(steps / stride) }, (_, i) => i * stride)
  return [...interior, steps]
}

/** The most states of so many that `lastGood` asks for: the last, and then half of what is left each time. */
export const mostAsked = (count: number): number =>
  count <= 1 ? count : 1 + Math.ceil(Math.log2(count))

/**
 * The place of the last of `count` states in a row that is good, if all after the first bad one are bad; null where none is. Asks for
 * the last one first.
 */
export async function lastGood(
  count: number,
  isGood: (at: number) => Promise<boolean>,
): Promise<number | null> {
  let [good, bad] = [-1, count]
  let at = count - 1
  while (bad - good > 1) {
    if (await isGood(at)) good = at
    else bad = at
    at = Math.floor((good + bad) / 2)
  }
  return good < 0 ? null : good
}

const Bisected = z.object({
  bisect: z.literal(true),
  evalEvery: z.int().nullable(),
  training: z.object({ steps: z.int() }),
})

/** How many states of each training a run's configuration has asked for at most, where it looks for the last safe one by bisection. */
export function askedByBisection(config: unknown): number | undefined {
  const { data } = Bisected.safeParse(config)
  return data && mostAsked(evaluationSteps(data.training.steps, data.evalEvery).length)
}
