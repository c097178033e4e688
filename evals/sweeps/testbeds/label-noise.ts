/**
 * @file Label noise for classes (Nakkiran et al. 2019, §2): each training label is replaced once, before training, by a
 * uniformly random wrong one with probability p. Conversations have their own in `cell-data.ts`.
 */
import { randomStream } from '../../statistics/random.ts'

/**
 * A copy of `labels`, each in 0 … classes − 1. For one seed, every row has the same random number and the same wrong label
 * whatever p is, so a larger p contains the noise of a smaller one.
 */
export function noisyLabels(
  labels: readonly number[],
  classes: number,
  p: number,
  seed: number,
): number[] {
  if (classes < 2) throw new Error('internal: a wrong label needs a second class')
  const coins = randomStream(seed, 'label-noise')
  const others = randomStream(seed, 'label-noise-class')
  return labels.map((label) => {
    const step = 1 + others.integer(classes - 1)
    return coins.uniform() < p ? (label + step) % classes : label
  })
}
