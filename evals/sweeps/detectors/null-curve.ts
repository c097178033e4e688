/**
 * @file The curve without an inner peak that fits best: falling, rising, or falling and then rising (the null hypothesis of
 * `peak.ts`), by least squares over the places, each split fitted by pooling adjacent violators (Barlow et al. 1972, §1.2).
 */

/** `y` `[places]` → the fit `[places]`. */
export function withoutPeak(y: readonly number[]): number[] {
  const fits = Array.from({ length: y.length + 1 }, (_, split) => [
    ...rising(y.slice(0, split).reverse()).reverse(),
    ...rising(y.slice(split)),
  ])
  const misfit = (fit: readonly number[]) =>
    fit.reduce((sum, value, i) => sum + (value - y[i]!) ** 2, 0)
  return fits.reduce((best, fit) => (misfit(fit) < misfit(best) ? fit : best))
}

/** The least-squares fit that does not fall. */
function rising(y: readonly number[]): number[] {
  const blocks: { sum: number; count: number }[] = []
  for (const value of y) {
    let block = { sum: value, count: 1 }
    for (
      let before = blocks.at(-1);
      before && meanOf(before) > meanOf(block);
      before = blocks.at(-1)
    ) {
      block = { sum: before.sum + block.sum, count: before.count + block.count }
      blocks.pop()
    }
    blocks.push(block)
  }
  return blocks.flatMap((block) => Array.from({ length: block.count }, () => meanOf(block)))
}

const meanOf = ({ sum, count }: { readonly sum: number; readonly count: number }) => sum / count
