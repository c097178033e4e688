/** @file Magnitude pruning: the smallest numbers of each matrix become 0 (Han et al. 2015); nothing is trained again. */
import type { Compression } from './compression.ts'

/** @param share of the numbers of each matrix, in [0, 1); of equal magnitudes the earlier ones go first */
export const prune = (share: number): Compression => ({
  name: `prune:${share}`,
  summary: `the ${share * 100} % of each matrix that are smallest in magnitude are 0`,
  source: 'Han et al. 2015, layer by layer, without training again',
  bits: () => null,
  roundTrip(weight) {
    const count = Math.floor(share * weight.length)
    if (count === 0) return weight
    const most = Float32Array.from(weight, Math.abs).sort()[count - 1]!
    let left = count - weight.reduce((sum, w) => sum + Number(Math.abs(w) < most), 0)
    return weight.map((w) => {
      const size = Math.abs(w)
      return size < most || (size === most && left-- > 0) ? 0 : w
    })
  },
})
