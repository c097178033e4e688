/**
 * @file The specification of products with a matrix in ggml's blocks where the other factor is rounded to int8
 * (native/src/kernels/blocks_int8.cc). Of 32 numbers x of a row: scale = max|x| / 127, codes = x·(1/scale) rounded to the nearest
 * whole number, ties to even; a number that is not finite makes the scale NaN; numbers too small for a scale are zero. A lane of
 * eight adds, block by block, Σ of four products of codes times (scale of W · scale of x); minima of W times scale·Σ codes are
 * added in lanes of their own, block by block; lanes are added 4, 2 and 1 apart. Every step is rounded to float32.
 */
import { BLOCK_FORMS, blockRowBytes, type BlockName } from '../../../evals/graph/storage/blocks.ts'
import { STORAGE_FORMATS } from '../../../evals/models/weights/dequantise.ts'
import { halfAt } from '../../../evals/models/weights/ggml-blocks.ts'
import { HALVES_AT } from './block-products.ts'

const { fround } = Math

function toEven(value: number): number {
  const low = Math.floor(value)
  if (value - low !== 0.5) return Math.round(value)
  return low % 2 === 0 ? low : low + 1
}

/** The codes of 32 numbers, and their scale. */
export function rounded(x: Float32Array): { codes: number[]; scale: number } {
  const zeros = Array.from(x, () => 0)
  if (!x.every(Number.isFinite)) return { codes: zeros, scale: NaN }
  const scale = fround(Math.max(...x.map(Math.abs)) / 127)
  const inverse = fround(1 / scale)
  if (!Number.isFinite(inverse)) return { codes: zeros, scale: 0 }
  return { codes: Array.from(x, (value) => toEven(fround(value * inverse))), scale }
}

interface Part {
  /** Whole numbers, signed. */
  readonly codes: readonly number[]
  /** Of each number. */
  readonly scales: readonly number[]
  /** Added to each product of scale and code; undefined for a kind without. */
  readonly added: number | undefined
}

/** What makes every code 1, of the bytes that hold codes: where they begin, and the byte. */
const ONES: Readonly<
  Partial<Record<BlockName, readonly (readonly [from: number, to: number, byte: number])[]>>
> = {
  Q4_K: [[16, 144, 0x11]],
  Q5_K: [
    [16, 48, 0],
    [48, 176, 0x11],
  ],
  Q6_K: [
    [0, 128, 0x11],
    [128, 192, 0xaa],
  ],
}

/** A block's parts of 32 numbers, from what the reader of files makes of it with other scales and codes. */
function partsOf(name: BlockName, block: Uint8Array): Part[] {
  const { numbers } = BLOCK_FORMS[name]
  const halves = HALVES_AT[name]
  const decoded = (given: readonly number[], ones: boolean) => {
    const bytes = Uint8Array.from(block)
    for (const [i, at] of halves.entries()) bytes.set([0, given[i]! === 1 ? 0x3c : 0], at)
    if (ones) for (const [from, to, byte] of ONES[name] ?? []) bytes.fill(byte, from, to)
    const out = new Float32Array(numbers)
    STORAGE_FORMATS[name].decode(bytes, out)
    return out
  }
  const values = decoded([1, 0], false)
  const subs = ONES[name] ? decoded([1, 0], true) : values.map(() => 1)
  const minima = decoded([0, 1], false)
  const [d, m] = [halfAt(block, halves[0]!), halves.length > 1 ? halfAt(block, halves[1]!) : 0]
  return Array.from({ length: numbers / 32 }, (_, part) => {
    const own = Array.from({ length: 32 }, (__, i) => part * 32 + i)
    return {
      codes: own.map((i) => (subs[i] === 0 ? 0 : values[i]! / subs[i]!)),
      scales: own.map((i) => fround(d * subs[i]!)),
      added: halves.length > 1 ? fround(m * minima[part * 32]!) : undefined,
    }
  })
}

/** x Wᵀ `[count, rows]`. */
export function roundedProducts(
  name: BlockName,
  [rows, columns]: readonly [number, number],
  bytes: Uint8Array,
  x: Float32Array,
): Float32Array {
  const { bytes: size } = BLOCK_FORMS[name]
  const rowBytes = blockRowBytes(name, columns)
  const matrix = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: rowBytes / size }, (__, b) =>
      partsOf(name, bytes.subarray(row * rowBytes + b * size, row * rowBytes + (b + 1) * size)),
    ).flat(),
  )
  const given = Array.from({ length: x.length / 32 }, (_, b) =>
    rounded(x.subarray(b * 32, b * 32 + 32)),
  )
  const blocks = columns / 32
  return Float32Array.from({ length: (x.length / columns) * rows }, (_, at) =>
    product(matrix[at % rows]!, given.slice(Math.floor(at / rows) * blocks).slice(0, blocks)),
  )
}

function product(parts: readonly Part[], x: readonly ReturnType<typeof rounded>[]): number {
  const lanes = new Float32Array(8)
  const added = new Float32Array(8)
  for (const [b, { codes, scales, added: minimum }] of parts.entries()) {
    const { codes: own, scale } = x[b]!
    for (let lane = 0; lane < 8; lane++) {
      let sum = 0
      for (let i = 4 * lane; i < 4 * lane + 4; i++) sum += codes[i]! * own[i]!
      lanes[lane]! += fround(sum * fround(scales[4 * lane]! * scale))
    }
    const all = own.reduce((sum, code) => sum + code, 0)
    if (minimum !== undefined) added[b % 8]! += fround(minimum * fround(scale * all))
  }
  const hasAdded = parts[0]!.added !== undefined
  const total = Array.from(lanes, (value, i) => (hasAdded ? fround(value + added[i]!) : value))
  const four = [0, 1, 2, 3].map((i) => fround(total[i]! + total[i + 4]!))
  const two = [0, 1].map((i) => fround(four[i]! + four[i + 2]!))
  return fround(two[0]! + two[1]!)
}
