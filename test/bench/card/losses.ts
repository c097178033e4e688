/** @file Losses of one fine-tune on two devices. */

/** The largest difference, of the loss itself; a sentence where one side failed or has other steps. */
export function differenceOf(
  there: readonly number[] | string,
  here: readonly number[] | string,
): number | string {
  const failed = [there, here].find((each) => typeof each === 'string')
  if (typeof failed === 'string') return failed
  if (there.length === 0 || there.length !== here.length)
    return `${there.length} losses there, ${here.length} here`
  const [a, b] = [there, here] as [readonly number[], readonly number[]]
  const apart = a.map((loss, i) => Math.abs(loss - b[i]!) / Math.abs(b[i]!))
  return apart.every(Number.isFinite) ? Math.max(...apart) : 'a loss is not finite'
}
