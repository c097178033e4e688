/** @file How well scores or decisions tell two classes apart. */

/** Confusion counts: of those that are positive, tp were called so and fn not; of the others, fp and tn. */
export interface Confusion {
  readonly tp: number
  readonly tn: number
  readonly fp: number
  readonly fn: number
}

/** 2·tp/(2·tp + fp + fn); null without a positive of either kind. */
export function f1({ tp, fp, fn }: Confusion): number | null {
  const all = 2 * tp + fp + fn
  return all === 0 ? null : (2 * tp) / all
}

/** Matthews' correlation (1975): (tp·tn − fp·fn)/√((tp+fp)(tp+fn)(tn+fp)(tn+fn)); null where a margin is empty. */
export function matthews({ tp, tn, fp, fn }: Confusion): number | null {
  const product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
  return product === 0 ? null : (tp * tn - fp * fn) / Math.sqrt(product)
}

/** Area under the ROC curve: P(positive > negative) + ½·P(equal) (Mann and Whitney 1947); null where a class is missing. */
export function auroc(scored: readonly (readonly [score: number, isPositive: boolean])[]) {
  const sorted = scored.toSorted(([a], [b]) => a - b)
  let [below, pairs] = [0, 0]
  for (let start = 0; start < sorted.length;) {
    let end = start
    while (end < sorted.length && sorted[end]![0] === sorted[start]![0]) end++
    const tied = sorted.slice(start, end)
    const positives = tied.filter(([, isPositive]) => isPositive).length
    pairs += positives * (below + (tied.length - positives) / 2)
    below += tied.length - positives
    start = end
  }
  const all = (sorted.length - below) * below
  return all === 0 ? null : pairs / all
}

/** The ROC curve (Fawcett 2006, alg. 1): shares of negatives and of positives above each score, from (0, 0) to (1, 1). */
export function roc(
  scored: readonly (readonly [score: number, isPositive: boolean])[],
): { readonly x: number; readonly y: number }[] {
  const sorted = scored.toSorted(([a], [b]) => b - a)
  const positives = sorted.filter(([, isPositive]) => isPositive).length
  const negatives = sorted.length - positives
  if (positives === 0 || negatives === 0) return []
  const points = [{ x: 0, y: 0 }]
  let [above, found] = [0, 0]
  sorted.forEach(([score, isPositive], i) => {
    if (isPositive) found++
    else above++
    if (sorted[i + 1]?.[0] !== score) points.push({ x: above / negatives, y: found / positives })
  })
  return points
}
