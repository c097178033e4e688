/** @file Handwritten digits of 8 × 8 pixels, UCI's optical digits: source and licence in SOURCE.md, bytes made by make-digits.py. */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

export const DIGIT_SIDE = 8
const PIXELS = DIGIT_SIDE ** 2
const INK = 16

export interface Digit {
  /** Row by row, −1 (blank) to 1 (ink), `[64]`. */
  readonly pixels: Float64Array
  /** 0 to 9. */
  readonly digit: number
}

/** All 1,797, in the order of the file. */
export function opticalDigits(): Digit[] {
  const bytes = gunzipSync(readFileSync(new URL('optical-digits.bin.gz', import.meta.url)))
  return Array.from({ length: bytes.length / (PIXELS + 1) }, (_, i) => {
    const row = bytes.subarray(i * (PIXELS + 1), (i + 1) * (PIXELS + 1))
    return {
      pixels: Float64Array.from(row.subarray(0, PIXELS), (value) => (2 * value) / INK - 1),
      digit: row[PIXELS]!,
    }
  })
}
