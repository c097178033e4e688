/** @file A way of merging: what becomes of one layer that several adapters change. */
import type { RandomStream } from '../../statistics/random.ts'

/** ΔW = scale · B · A of one adapter, which counts `weight` times. */
export interface Part {
  readonly weight: number
  readonly scale: number
  readonly rank: number
  /** `[rank, columns]`. */
  readonly A: Float64Array
  /** `[rows, rank]`. */
  readonly B: Float64Array
}

/** A linear layer `[rows, columns]` and at least one part of it. */
export interface Layer {
  readonly name: string
  readonly rows: number
  readonly columns: number
  readonly parts: readonly Part[]
}

export interface MergeSettings {
  /** Largest rank of the result; the largest one of the parts if not given. */
  readonly rank: number | null
  /** Share of numbers that is kept, in (0, 1]. */
  readonly density: number
  /** LEGO: multiply the result by √(mean rank of the parts / rank of the result). */
  readonly outputReweighting: boolean
  /** Draws of this layer; streams of different labels are independent. */
  readonly random: (label: string) => RandomStream
}

/** ΔW ≈ B · A, of rank 1 to min(rows, columns) or a sum of the parts’ ranks. */
export interface Merged {
  readonly rank: number
  readonly A: Float64Array
  readonly B: Float64Array
  /** ‖ΔW − B·A‖ / ‖ΔW‖ in the Frobenius norm, ΔW as the way defines it; null where it defines factors alone. */
  readonly lost: number | null
}

export type MergeLayer = (layer: Layer, settings: MergeSettings) => Merged

export interface Merging {
  readonly name: string
  /** What it computes, in one line. */
  readonly summary: string
  readonly source: string
  /** Weights where none are given: 1 each, or 1/n. */
  readonly defaultWeights: 'sum' | 'average'
  /** The options of `MergeSettings` that it reads besides `random`. */
  readonly reads: readonly ('rank' | 'density' | 'outputReweighting')[]
  readonly merge: MergeLayer
  /** PEFT’s form of it (`add_weighted_adapter`, `combination_type`), by its name there; null where PEFT has none. */
  readonly peft: { readonly name: string; readonly merge: MergeLayer } | null
}
