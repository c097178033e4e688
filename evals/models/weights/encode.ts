/** @file Encodes float32 as stored numbers, rounded to nearest, ties to even: the reverse of dequantise.ts. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { numerics } from '../../native/load.ts'
import type { Narrow } from '../../native/numerics.ts'

export type WrittenStorage = 'F32' | 'F16' | 'BF16' | 'Q8_0'

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Uint16Array) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)

const ENCODERS: Readonly<Record<WrittenStorage, (values: Float32Array) => Uint8Array>> = {
  F32: bytesOf,
  F16: (values) => narrowed(values, numerics().narrowFloat16),
  BF16: (values) => narrowed(values, numerics().narrowBfloat16),
  Q8_0: encodeQ8_0,
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

/** Values from here on would round to infinity; Q8_0 has a float16 scale for 127 steps. */
const LARGEST: Readonly<Record<WrittenStorage, number>> = {
  F32: Infinity,
  F16: 65520,
  BF16: 2 ** 127 * (2 - 2 ** -8),
  Q8_0: 65520 * 127,
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
