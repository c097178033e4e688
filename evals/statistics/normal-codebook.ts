/** @file The codebook of NormalFloat (Dettmers et al. 2023, §3): quantiles of the normal distribution, scaled to ±1. */
import { normalQuantile } from './normal.ts'

/** 1 − o is the tail that the outermost quantiles leave out: the mean of 1 − 1/(2·15) and 1 − 1/(2·16). */
const OFFSET = Math.fround(0.9677083)

/** `count` ≥ 2 numbers from o to ½, in float32 as torch.linspace computes them: from the nearer end. */
function fromOffset(count: number): number[] {
  const step = Math.fround((0.5 - OFFSET) / (count - 1))
  return Array.from({ length: count }, (_, i) =>
    Math.fround(i < count / 2 ? OFFSET + step * i : 0.5 - step * (count - 1 - i)),
  )
}

const codebooks = new Map<number, Float32Array>()

/** Quantiles Φ⁻¹(p) and −Φ⁻¹(p) of b bits, ascending, divided by the largest: bitsandbytes' numbers to the bit for b = 4. */
export function normalCodebook(bits: number): Float32Array {
  const known = codebooks.get(bits) ?? made(bits)
  codebooks.set(bits, known)
  return known
}

function made(bits: number): Float32Array {
  const half = 2 ** (bits - 1)
  const above = fromOffset(half + 1).slice(0, -1)
  // Of 2 bits there is one quantile below 0.
  const below = fromOffset(Math.max(2, half)).slice(0, half - 1)
  const negative = below.map((p) => -normalQuantile(p))
  const all = Float32Array.from([...negative, 0, ...above.reverse().map(normalQuantile)])
  const largest = all.at(-1)!
  return all.map((x) => x / largest)
}
