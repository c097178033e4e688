/** @file A lenient reader of the oracles' safetensors files: any dtype that they hold, the whole file in memory. */
import { readFileSync } from 'node:fs'

export interface OracleTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array | BigInt64Array
}

export function readOracle(path: string): Map<string, OracleTensor> {
  const bytes = readFileSync(path)
  const length = Number(bytes.readBigUInt64LE(0))
  type Entry = { dtype: string; shape: number[]; data_offsets: [number, number] }
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, Entry>
  const tensors = new Map<string, OracleTensor>()
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const { dtype, shape } = entry
    const [start, end] = entry.data_offsets
    const slice = bytes.buffer.slice(
      bytes.byteOffset + 8 + length + start,
      bytes.byteOffset + 8 + length + end,
    )
    tensors.set(name, {
      shape,
      data: dtype === 'I64' ? new BigInt64Array(slice) : new Float32Array(slice),
    })
  }
  return tensors
}

export const floats = (tensors: ReadonlyMap<string, OracleTensor>, name: string): Float32Array =>
  tensors.get(name)!.data as Float32Array
export const integers = (tensors: ReadonlyMap<string, OracleTensor>, name: string): number[] =>
  Array.from(tensors.get(name)!.data as BigInt64Array, Number)

/** ‖a − b‖ / ‖b‖. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity
  let difference = 0
  let norm = 0
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2
    norm += b[i]! ** 2
  }
  return Math.sqrt(difference) / Math.max(Math.sqrt(norm), Number.MIN_VALUE)
}
