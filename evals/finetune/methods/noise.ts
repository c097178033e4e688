/**
 * @file Normal numbers in blocks: z `[count]` is a function of (seed, label), so it is drawn again rather than stored.
 * Threefry-2x32 on a counter, and both values of Box–Muller: z₂ₖ = ρ·cos θ, z₂ₖ₊₁ = ρ·sin θ, ρ = √(−2 ln u), θ = 2πv.
 */
import { randomStream, threefry } from '../../statistics/random.ts'

const TWO_POW_32 = 2 ** 32

/** Adds `deviation`[i]·z to row i of `out` `[rows, columns]`. */
export function addRowNoise(
  out: Float32Array,
  deviations: Float64Array,
  seed: number,
  label: string,
): void {
  const stream = randomStream(seed, label)
  const [k0, k1] = [stream.integer(TWO_POW_32) | 0, stream.integer(TWO_POW_32) | 0]
  const columns = out.length / deviations.length
  const words = new Int32Array(2)
  let spare = 0
  for (let i = 0; i < out.length; i++) {
    let z = spare
    if ((i & 1) === 0) {
      // Each block gives two numbers, so the counter is half the index.
      threefry(words, k0, k1, i >>> 1, 0)
      const radius = Math.sqrt(-2 * Math.log(((words[0]! >>> 0) + 0.5) / TWO_POW_32))
      const angle = (2 * Math.PI * (words[1]! >>> 0)) / TWO_POW_32
      z = radius * Math.cos(angle)
      spare = radius * Math.sin(angle)
    }
    out[i] = out[i]! + deviations[(i / columns) | 0]! * z
  }
}
