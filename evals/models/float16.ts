/** @file float16 as float32, by a table of all its values. */

/** The 65,536 float16 values, as float32. */
export const HALVES = Float32Array.from({ length: 2 ** 16 }, (_, bits) => halfToFloat(bits))

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const mantissa = bits & 1023
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN
  if (exponent === 0) return sign * mantissa * 2 ** -24
  return sign * (1024 + mantissa) * 2 ** (exponent - 25)
}

export const halfAt = (bytes: Uint8Array, at: number): number =>
  HALVES[bytes[at]! | (bytes[at + 1]! << 8)]!
export const signed = (byte: number): number => (byte << 24) >> 24
