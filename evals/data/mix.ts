/** @file Mixes a share of rows from a second set into the first (the poison ratio of the literature), by a seed. */
import { randomStream } from '../statistics/random.ts'

/**
 * `share` of the result comes from `second`, in seeded order. n = |first| / (1 − share) rows in all, fewer if the second set
 * is too small; otherwise all rows of the first are used.
 */
export function mixRows<T>(
  first: readonly T[],
  second: readonly T[],
  share: number,
  seed: number,
): T[] {
  if (!(share >= 0 && share <= 1)) throw new Error(`internal: a share of ${share}`)
  const stream = randomStream(seed, 'mix')
  const wanted = share === 1 ? second.length : Math.round((first.length * share) / (1 - share))
  const taken = Math.min(wanted, second.length)
  const kept =
    share === 0 || share === 1 || taken === wanted
      ? first.length
      : Math.round((taken * (1 - share)) / share)
  const chosen = <S>(rows: readonly S[], count: number) => stream.shuffle([...rows]).slice(0, count)
  const own = share === 1 ? [] : kept === first.length ? [...first] : chosen(first, kept)
  return stream.shuffle([...own, ...chosen(second, taken)])
}
