/** @file Spearman's ρ: Pearson's correlation of ranks; equal values share the mean of their ranks. */

/** Ranks from 1; ties get their average. */
export function averageRanks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!)
  const ranks = values.map(() => 0)
  for (let start = 0; start < order.length;) {
    let end = start
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++
    for (let k = start; k < end; k++) ranks[order[k]!] = (start + 1 + end) / 2
    start = end
  }
  return ranks
}

/** ρ in [−1, 1]; null for fewer than two pairs or if one side is constant. */
export function spearman(x: readonly number[], y: readonly number[]): number | null {
  if (x.length !== y.length) throw new Error('internal: spearman needs pairs')
  if ([...x, ...y].some((value) => Number.isNaN(value))) {
    throw new Error('internal: spearman cannot rank NaN')
  }
  const [rx, ry] = [averageRanks(x), averageRanks(y)]
  const mean = (x.length + 1) / 2
  let [xx, yy, xy] = [0, 0, 0]
  for (let i = 0; i < rx.length; i++) {
    const [dx, dy] = [rx[i]! - mean, ry[i]! - mean]
    xx += dx * dx
    yy += dy * dy
    xy += dx * dy
  }
  if (xx === 0 || yy === 0) return null
  return Math.max(-1, Math.min(1, xy / (Math.sqrt(xx) * Math.sqrt(yy))))
}
