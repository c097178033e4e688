/** @file The steps at which an arm is evaluated. */

/** Steps 0, N, 2N, … and the last; N is a quarter of the run by default. */
export function evaluationSteps(steps: number, every: number | null): number[] {
  const stride = every ?? Math.max(1, Math.ceil(steps / 4))
  const interior = Array.from({ length: Math.ceil(steps / stride) }, (_, i) => i * stride)
  return [...interior, steps]
}
