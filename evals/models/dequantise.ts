/**
 * @file How stored numbers become float32. Blocks are those of ggml; with d, m the block's float16 scale and minimum:
 * Q8_0 d·q, Q4_0 d·(q − 8), Q4_1 d·q + m, Q4_K d·s·q − m·t, Q6_K d·s·(q − 32).
 *
 * Every product below is exact in float64 and rounded once, so the results equal ggml's reference bit for bit.
 */
import type { StorageType } from './checkpoint.ts'

export interface StorageFormat {
  readonly elementsPerBlock: number
  readonly bytesPerBlock: number
  /** `bytes` holds whole blocks, `out` as many elements; `bytes` must begin at a multiple of 8 in its buffer. */
  readonly decode: (bytes: Uint8Array, out: Float32Array) => void
}

/** The 65,536 float16 values, as float32. */
const HALVES = Float32Array.from({ length: 2 ** 16 }, (_, bits) => halfToFloat(bits))

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const mantissa = bits & 1023
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN
  if (exponent === 0) return sign * mantissa * 2 ** -24
  return sign * (1024 + mantissa) * 2 ** (exponent - 25)
}

const halfAt = (bytes: Uint8Array, at: number): number =>
  HALVES[bytes[at]! | (bytes[at + 1]! << 8)]!
const signed = (byte: number): number => (byte << 24) >> 24

function decodeF32(bytes: Uint8Array, out: Float32Array): void {
  out.set(new Float32Array(bytes.buffer, bytes.byteOffset, out.length))
}

function decodeF64(bytes: Uint8Array, out: Float32Array): void {
  out.set(new Float64Array(bytes.buffer, bytes.byteOffset, out.length))
}

function decodeF16(bytes: Uint8Array, out: Float32Array): void {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, out.length)
  for (let i = 0; i < halves.length; i++) out[i] = HALVES[halves[i]!]!
}

/** bfloat16 is the upper half of a float32. */
function decodeBf16(bytes: Uint8Array, out: Float32Array): void {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, out.length)
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length)
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16
}

function decodeQ8_0(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; at < out.length; block += 34, at += 32) {
    const d = halfAt(bytes, block)
    for (let i = 0; i < 32; i++) out[at + i] = d * signed(bytes[block + 2 + i]!)
  }
}

/** The low nibbles are the block's first half, the high nibbles its second. */
function decodeQ4_0(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; at < out.length; block += 18, at += 32) {
    const d = halfAt(bytes, block)
    for (let i = 0; i < 16; i++) {
      const pair = bytes[block + 2 + i]!
      out[at + i] = d * ((pair & 15) - 8)
      out[at + 16 + i] = d * ((pair >> 4) - 8)
    }
  }
}

function decodeQ4_1(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; at < out.length; block += 20, at += 32) {
    const d = halfAt(bytes, block)
    const m = halfAt(bytes, block + 2)
    for (let i = 0; i < 16; i++) {
      const pair = bytes[block + 4 + i]!
      out[at + i] = d * (pair & 15) + m
      out[at + 16 + i] = d * (pair >> 4) + m
    }
  }
}

/** Eight sub-blocks of 32, each with a 6-bit scale s and a 6-bit minimum t, packed into 12 bytes. */
function decodeQ4_K(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; at < out.length; block += 144, at += 256) {
    const d = halfAt(bytes, block)
    const m = halfAt(bytes, block + 2)
    const scales = block + 4
    for (let sub = 0; sub < 8; sub++) {
      const low = bytes[scales + sub]!
      const high = bytes[scales + sub + 4]!
      const [s, t] =
        sub < 4
          ? [low & 63, high & 63]
          : [(high & 15) | ((bytes[scales + sub - 4]! >> 6) << 4), (high >> 4) | ((low >> 6) << 4)]
      const scale = d * s
      const minimum = m * t
      const quants = block + 16 + (sub >> 1) * 32
      const shift = (sub & 1) * 4
      const target = at + sub * 32
      for (let i = 0; i < 32; i++) {
        out[target + i] = scale * ((bytes[quants + i]! >> shift) & 15) - minimum
      }
    }
  }
}

/** Two halves of 128: four low bits in `ql`, two high bits in `qh`, sixteen signed scales. */
function decodeQ6_K(bytes: Uint8Array, out: Float32Array): void {
  for (let block = 0, at = 0; at < out.length; block += 210, at += 256) {
    const d = halfAt(bytes, block + 208)
    for (let half = 0; half < 2; half++) {
      const ql = block + half * 64
      const qh = block + 128 + half * 32
      const scales = block + 192 + half * 8
      const target = at + half * 128
      for (let i = 0; i < 128; i++) {
        const row = i >> 5
        const low = (bytes[ql + (i & 63)]! >> ((row >> 1) * 4)) & 15
        const high = (bytes[qh + (i & 31)]! >> (row * 2)) & 3
        out[target + i] = d * signed(bytes[scales + (i >> 4)]!) * ((low | (high << 4)) - 32)
      }
    }
  }
}

export const STORAGE_FORMATS: Readonly<Record<StorageType, StorageFormat>> = {
  F32: { elementsPerBlock: 1, bytesPerBlock: 4, decode: decodeF32 },
  F16: { elementsPerBlock: 1, bytesPerBlock: 2, decode: decodeF16 },
  BF16: { elementsPerBlock: 1, bytesPerBlock: 2, decode: decodeBf16 },
  F64: { elementsPerBlock: 1, bytesPerBlock: 8, decode: decodeF64 },
  Q8_0: { elementsPerBlock: 32, bytesPerBlock: 34, decode: decodeQ8_0 },
  Q4_0: { elementsPerBlock: 32, bytesPerBlock: 18, decode: decodeQ4_0 },
  Q4_1: { elementsPerBlock: 32, bytesPerBlock: 20, decode: decodeQ4_1 },
  Q4_K: { elementsPerBlock: 256, bytesPerBlock: 144, decode: decodeQ4_K },
  Q6_K: { elementsPerBlock: 256, bytesPerBlock: 210, decode: decodeQ6_K },
}
