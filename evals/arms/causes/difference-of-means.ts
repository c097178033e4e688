/**
 * @file The direction between two sets of activations: the difference of their means (Arditi et al. 2024, §2.3), how large it is
 * and how well it tells activations apart that it was not made of.
 *
 * With x of prompts to refuse and y of prompts to answer, both `[hidden]`: r = mean x − mean y, r̂ = r/‖r‖.
 */

import { frobeniusNorm } from '../../spectra/measures.ts'
import { inner } from './gradient-forms.ts'

/** One place of the residual stream: an activation of each prompt. */
export interface Activations {
  readonly refuse: readonly Float32Array[]
  readonly answer: readonly Float32Array[]
}

export function meanOf(rows: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(rows[0]!.length)
  for (const row of rows) for (let i = 0; i < mean.length; i++) mean[i]! += row[i]! / rows.length
  return mean
}

/** r `[hidden]`; at least one activation of each kind. */
export function differenceOfMeans({ refuse, answer }: Activations): Float64Array {
  const [first, second] = [meanOf(refuse), meanOf(answer)]
  return first.map((x, i) => x - second[i]!)
}

/** 0 where one of them is 0. */
export function cosineOf(a: Float64Array, b: Float64Array): number {
  const lengths = frobeniusNorm(a) * frobeniusNorm(b)
  return lengths === 0 ? 0 : inner(a, b) / lengths
}

/** (mean x − mean y)/√((s²_x + s²_y)/2) of two sets of numbers; 0 where neither varies. */
function standardisedGap(refuse: readonly number[], answer: readonly number[]): number {
  const [first, second] = [momentsOf(refuse), momentsOf(answer)]
  const spread = Math.sqrt((first.variance + second.variance) / 2)
  return spread === 0 ? 0 : (first.mean - second.mean) / spread
}

function momentsOf(values: readonly number[]) {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0)
  return { mean, variance: squares / Math.max(1, values.length - 1) }
}

/**
 * The standardised gap of projections, each activation on the direction that the others give: what a direction is chosen by among
 * places, since on its own activations any direction tells them apart. At least two activations of each kind.
 */
export function gapLeavingOneOut({ refuse, answer }: Activations): number {
  const [first, second] = [meanOf(refuse), meanOf(answer)]
  const projected = (row: Float32Array, isRefused: boolean) => {
    const n = isRefused ? refuse.length : answer.length
    // The mean without it is (n·mean − x)/(n − 1).
    const own = (mean: number, x: number) => (n * mean - x) / (n - 1)
    const without = first.map((x, i) =>
      isRefused ? own(x, row[i]!) - second[i]! : x - own(second[i]!, row[i]!),
    )
    const length = frobeniusNorm(without)
    return length === 0 ? 0 : inner(without, Float64Array.from(row)) / length
  }
  return standardisedGap(
    refuse.map((row) => projected(row, true)),
    answer.map((row) => projected(row, false)),
  )
}
