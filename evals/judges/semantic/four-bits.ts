/** @file Weights in four bits: whole numbers from −7 to 7 times one scale, stored two to a byte, the first in its lower half. */

const LARGEST = 7
/** What is further out than so many times the root of the mean square is cut: one of 370 normal weights. */
const CUT = 3

export function inFourBits(weights: Float32Array): { weights: Int8Array; scale: number } {
  const meanSquare = weights.reduce((sum, w) => sum + w * w, 0) / weights.length
  const most = weights.reduce((found, w) => Math.max(found, Math.abs(w)), 0)
  const scale = Math.min(most, CUT * Math.sqrt(meanSquare)) / LARGEST || 1
  const cut = (w: number) => Math.max(-LARGEST, Math.min(LARGEST, Math.round(w / scale)))
  return { weights: Int8Array.from(weights, cut), scale }
}

/** @param weights an even number of them */
export const packed = (weights: Int8Array): Uint8Array =>
  Uint8Array.from({ length: weights.length / 2 }, (_, i) => {
    const [low, high] = [weights[2 * i]!, weights[2 * i + 1]!]
    return (low & 0xf) | ((high & 0xf) << 4)
  })

export function unpacked(bytes: Uint8Array): Int8Array {
  const weights = new Int8Array(2 * bytes.length)
  bytes.forEach((byte, i) => {
    weights[2 * i] = (byte << 28) >> 28
    weights[2 * i + 1] = (byte << 24) >> 28
  })
  return weights
}
