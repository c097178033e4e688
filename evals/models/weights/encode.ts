/** @file Encodes float32 as stored numbers, rounded to nearest, ties to even: the reverse of dequantise.ts. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { numerics } from '../../native/load.ts'
import type { Narrow } from '../../native/numerics.ts'

export type WrittenStorage = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0' | 'Q4_1'

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)

const ENCODERS: Readonly<Record<WrittenStorage, (values: Float32Array) => Uint8Array>> = {
  F32: bytesOf,
  F16: (values) => narrowed(values, numerics().narrowFloat16),
  BF16: (values) => narrowed(values, numerics().narrowBfloat16),
  Q8_0: encodeQ8_0,
  Q4_0: (values) => encodeFourBits(values, 1, eighths),
  Q4_1: (values) => encodeFourBits(values, 2, fifteenths),
}

function narrowed(values: Float32Array, narrow: Narrow): Uint8Array {
  const halves = new Uint16Array(values.length)
  narrow(values, halves)
  return bytesOf(halves)
}

/** Throws, with the weight's name, for values that the storage type cannot hold. */
export function encode(name: string, values: Float32Array, storage: WrittenStorage): Uint8Array {
  const most = LARGEST[storage]
  const odd = values.find((value) => !(Math.abs(value) < most))
  if (odd !== undefined) {
    throw new TouchstoneError('export.not-representable', {
      weight: name,
      storage,
      value: String(odd),
    })
  }
  return ENCODERS[storage](values)
}

/** Values from here on would round to infinity; blocks have a float16 scale for their steps. */
const LARGEST: Readonly<Record<WrittenStorage, number>> = {
  F32: Infinity,
  F16: 65520,
  BF16: 2 ** 127 * (2 - 2 ** -8),
  Q8_0: 65520 * 127,
  Q4_0: 65520 * 8,
  Q4_1: 65520,
}

const BLOCK = 32
const BLOCK_BYTES = 34

/** Blocks of 32: float16 d = max|x| / 127 computed in float32, then 32 values x / d, rounded half away from zero. */
function encodeQ8_0(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / BLOCK) * BLOCK_BYTES)
  const view = new DataView(bytes.buffer)
  for (let start = 0, at = 0; start < values.length; start += BLOCK, at += BLOCK_BYTES) {
    let largest = 0
    for (let i = 0; i < BLOCK; i++) largest = Math.max(largest, Math.abs(values[start + i]!))
    const step = Math.fround(largest / 127)
    const inverse = step === 0 ? 0 : Math.fround(1 / step)
    view.setFloat16(at, step, true)
    for (let i = 0; i < BLOCK; i++) {
      const scaled = Math.fround(values[start + i]! * inverse)
      view.setInt8(at + 2 + i, Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5))
    }
  }
  return bytes
}

/** A block's float16 numbers, and the code of a value. */
interface FourBits {
  readonly head: readonly number[]
  readonly code: (value: number) => number
}

/** d = the value of the largest size / −8, so that it is stored exactly: −8d … 7d. */
function eighths(block: Float32Array): FourBits {
  const most = block.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0)
  const step = Math.fround(most / -8)
  const inverse = step === 0 ? 0 : Math.fround(1 / step)
  return { head: [step], code: (x) => Math.fround(Math.fround(x * inverse) + 8.5) }
}

/** d = (largest − smallest) / 15, m = the smallest: m … m + 15d. */
function fifteenths(block: Float32Array): FourBits {
  const least = Math.min(...block)
  const step = Math.fround(Math.fround(Math.max(...block) - least) / 15)
  const inverse = step === 0 ? 0 : Math.fround(1 / step)
  const above = (x: number) => Math.fround(Math.fround(x - least) * inverse)
  return { head: [step, least], code: (x) => Math.fround(above(x) + 0.5) }
}

/** As ggml's reference; low nibbles hold the first half of a block. @param numbers float16 numbers of a block */
function encodeFourBits(
  values: Float32Array,
  numbers: number,
  rule: (block: Float32Array) => FourBits,
): Uint8Array {
  const half = BLOCK / 2
  const blockBytes = 2 * numbers + half
  const bytes = new Uint8Array((values.length / BLOCK) * blockBytes)
  const view = new DataView(bytes.buffer)
  for (let start = 0, at = 0; start < values.length; start += BLOCK, at += blockBytes) {
    const block = values.subarray(start, start + BLOCK)
    const { head, code } = rule(block)
    head.forEach((number, i) => view.setFloat16(at + 2 * i, number, true))
    const nibble = (i: number) => Math.min(15, Math.trunc(code(block[i]!)))
    for (let i = 0; i < half; i++) bytes[at + 2 * numbers + i] = nibble(i) | (nibble(half + i) << 4)
  }
  return bytes
}
