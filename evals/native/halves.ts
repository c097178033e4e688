/** @file Conversions between 16-bit floats and float32 in TypeScript. */

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

export function widenFloat16(halves: Uint16Array, out: Float32Array): void {
  for (let i = 0; i < halves.length; i++) out[i] = HALVES[halves[i]!]!
}

/** bfloat16 is the upper half of a float32. */
export function widenBfloat16(halves: Uint16Array, out: Float32Array): void {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length)
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16
}

export function narrowFloat16(values: Float32Array, out: Uint16Array): void {
  new Float16Array(out.buffer, out.byteOffset, out.length).set(values)
}

export function narrowBfloat16(values: Float32Array, out: Uint16Array): void {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    out[i] = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16
  }
}
