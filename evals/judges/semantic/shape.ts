/** @file The sizes of the semantic judge's network, where its matrices stand in its dense weights, and how these are stored. */

/** Rows of the table, one for each n-gram that is read. */
export const ROWS = 2 ** 15
export const WIDTH = 40
export const HIDDEN = 96
export const PLACE = 10
export const HEADS = 2
export const OUTPUTS = 3
/** Of a segment: its vector and its place. */
export const INPUT = WIDTH + PLACE
const JOINED = (HEADS + 5) * HIDDEN + OUTPUTS + WIDTH

export interface Shape {
  readonly at: number
  readonly rows: number
  /** One more than there are inputs where the last is a bias. */
  readonly columns: number
  readonly inputs: number
}

/** Rows and inputs of each matrix, and where it starts in the dense weights. */
function shapes() {
  let at = 0
  const matrix = (rows: number, inputs: number, columns = inputs + 1): Shape => {
    const shape = { at, rows, columns, inputs }
    at += rows * columns
    return shape
  }
  const all = {
    segment: matrix(HIDDEN, INPUT),
    attention: matrix(HEADS, HIDDEN, HIDDEN),
    sum: matrix(HIDDEN, WIDTH),
    prompt: matrix(HIDDEN, WIDTH),
    straight: matrix(OUTPUTS, WIDTH),
    joined: matrix(HIDDEN, JOINED),
    last: matrix(OUTPUTS, HIDDEN),
  }
  return { all, size: at }
}
export const { all: DENSE, size: DENSE_SIZE } = shapes()

/** Dense weights as they are stored: int8, each matrix with a scale. */
interface StoredDense {
  readonly dense: Int8Array
  readonly scales: readonly number[]
}

/** Rounded up to 16 bits, so that 127 times it is a float32 and rounding twice is rounding once. */
function short(scale: number): number {
  const unit = 2 ** (Math.floor(Math.log2(scale)) - 15)
  return Math.ceil(scale / unit) * unit
}

export function stored(dense: Float32Array): StoredDense {
  const out = new Int8Array(DENSE_SIZE)
  const scales = Object.values(DENSE).map(({ at, rows, columns }) => {
    const own = dense.subarray(at, at + rows * columns)
    const scale = short(own.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 127 || 1)
    out.set(
      Array.from(own, (w) => Math.round(w / scale)),
      at,
    )
    return scale
  })
  return { dense: out, scales }
}

export function opened({ dense, scales }: StoredDense): Float32Array {
  const out = Float32Array.from(dense)
  Object.values(DENSE).forEach(({ at, rows, columns }, i) => {
    for (let j = at; j < at + rows * columns; j++) out[j]! *= scales[i]!
  })
  return out
}
