/** @file A way of storing a weight in less: what a model computes with after it, and what it takes. */

interface About {
  /** As it is written after `--compress`. */
  readonly name: string
  readonly summary: string
  readonly source: string
}

export interface Compression extends About {
  /** Bits that a matrix of so many numbers takes for each; null where a format of its own would decide. */
  readonly bits: (numbers: number, rows: number) => number | null
  /** The numbers as they are read back, in float32. @param weight `[rows, columns]`, row-major */
  readonly roundTrip: (weight: Float32Array, rows: number) => Float32Array
}

export interface SourceMatrix {
  readonly name: string
  /** How many numbers it has. */
  readonly count: number
  readonly read: () => Float32Array
  /** Weight of each number's squared error; 1 if absent. */
  readonly fisher?: Float32Array
}

/** Chooses a compression for each matrix by looking at all. */
export interface Allocation extends About {
  /** Throws `compress.budget` where so many numbers cannot be stored in it. */
  readonly requireRoom: (numbers: number) => void
  readonly allocate: (matrices: readonly SourceMatrix[]) => ReadonlyMap<string, Compression>
}
