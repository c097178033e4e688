/**
 * @file NormalFloat (Dettmers et al. 2023, QLoRA) of 2, 3 and 4 bits with scales quantised again, as in LQ-LoRA (Guo et al. 2023,
 * §3): blocks of 64 consecutive numbers, scale = max|w|, code = nearest entry of the codebook (the lower of two); of the scales
 * their minimum is taken off and blocks of 256 are stored in 8 bits with a float32 maximum each.
 */
import { normalQuantile } from '../../../statistics/normal.ts'
import type { Compression } from './compression.ts'

/** 1 − o is the tail that the outermost quantiles leave out: the mean of 1 − 1/(2·15) and 1 − 1/(2·16). */
const OFFSET = 0.9677083

/**
 * Quantiles Φ⁻¹(p) divided by the largest, at p = linspace(1 − o, ½, 2^(b−1)) and linspace(½, o, 2^(b−1) + 1), with one ½; in
 * float32, as bitsandbytes has them.
 */
export function codebookOf(bits: number): Float32Array {
  const half = 2 ** (bits - 1)
  const below = Array.from(
    { length: half - 1 },
    (_, i) => 1 - OFFSET + (i * (OFFSET - 0.5)) / (half - 1),
  )
  const above = Array.from({ length: half }, (_, i) => 0.5 + ((i + 1) * (OFFSET - 0.5)) / half)
  const largest = normalQuantile(OFFSET)
  const quantile = (p: number) => normalQuantile(p) / largest
  return Float32Array.from([...below.map(quantile), 0, ...above.map(quantile)])
}

const BLOCK = 64
const SCALES_BLOCK = 256
const SCALE_STEPS = 255

export function normalFloat(bits: number): Compression {
  return {
    name: `nf${bits}`,
    summary: `NormalFloat of ${bits} bits, blocks of ${BLOCK}, scales in 8 bits`,
    source: 'Dettmers et al. 2023, section 3; Guo et al. 2023, section 3',
    bits: () => bits + 8 / BLOCK + 32 / (BLOCK * SCALES_BLOCK),
    roundTrip: (weight) => decode(weight, bits, quantisedScales(scalesOf(weight))),
  }
}

/** Codes with exact scales, and what they stand for; for tests, and bitsandbytes’ form without nested scales. */
export function withExactScales(weight: Float32Array, bits: number, block = BLOCK): Float32Array {
  return decode(weight, bits, scalesOf(weight, block), block)
}

function scalesOf(weight: Float32Array, block = BLOCK): Float32Array {
  const scales = new Float32Array(Math.ceil(weight.length / block))
  weight.forEach((w, i) => {
    const at = Math.floor(i / block)
    scales[at] = Math.max(scales[at]!, Math.abs(w))
  })
  return scales
}

function quantisedScales(scales: Float32Array): Float32Array {
  const least = scales.reduce((a, b) => Math.min(a, b), Infinity)
  const out = new Float32Array(scales.length)
  for (let start = 0; start < scales.length; start += SCALES_BLOCK) {
    const end = Math.min(start + SCALES_BLOCK, scales.length)
    let top = 0
    for (let i = start; i < end; i++) top = Math.max(top, scales[i]! - least)
    for (let i = start; i < end; i++) {
      const code = top === 0 ? 0 : Math.round(((scales[i]! - least) / top) * SCALE_STEPS)
      out[i] = least + (code / SCALE_STEPS) * top
    }
  }
  return out
}

function decode(weight: Float32Array, bits: number, scales: Float32Array, block = BLOCK) {
  const codebook = codebookOf(bits)
  const middles = Array.from(codebook.subarray(1), (x, i) => (x + codebook[i]!) / 2)
  return weight.map((w, i) => {
    const scale = scales[Math.floor(i / block)]!
    if (scale === 0) return 0
    const x = w / scale
    let code = 0
    while (code < middles.length && x > middles[code]!) code++
    return codebook[code]! * scale
  })
}
