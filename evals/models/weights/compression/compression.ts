/** @file A way of storing a weight in less: what a model computes with after it, and what it takes. */

export interface Compression {
  /** As it is written after `--compress`. */
  readonly name: string
  readonly summary: string
  readonly source: string
  /** Bits that a matrix of so many numbers takes for each; null where a format of its own would decide. */
  readonly bits: (numbers: number, rows: number) => number | null
  /** The numbers as they are read back, in float32. @param weight `[rows, columns]`, row-major */
  readonly roundTrip: (weight: Float32Array, rows: number) => Float32Array
}
