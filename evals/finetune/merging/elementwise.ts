/**
 * @file Ways of merging that are defined number by number, on whole changes ΔW or, as in PEFT, on A and on B apart (which lets
 * cross terms B_i·A_j appear).
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { RandomStream } from '../../statistics/random.ts'
import { cutMatrix, productOf } from './low-rank.ts'
import type { MergeLayer, MergeSettings } from './merging.ts'

interface CombineSettings extends Pick<MergeSettings, 'density'> {
  readonly random: (label: string) => RandomStream
}

/** One tensor of all tensors, which have one length, and their weights. */
export type Combine = (
  tensors: readonly Float64Array[],
  weights: readonly number[],
  settings: CombineSettings,
) => Float64Array

/** On the changes ΔW_i with weights w_i; the result is cut to the rank by its singular values. */
export const onChanges =
  (combine: Combine): MergeLayer =>
  (layer, settings) => {
    const { rows, columns, parts } = layer
    const changes = parts.map(({ A, B, rank, scale }) => {
      const change = productOf(B, A, rows, rank, columns)
      return change.map((x) => x * scale)
    })
    const weights = parts.map(({ weight }) => weight)
    return cutMatrix(layer, combine(changes, weights, settings), settings)
  }

/** On A and on B apart with weights √(w_i s_i), as PEFT does; all ranks must be equal. */
export const onFactors =
  (combine: Combine): MergeLayer =>
  ({ name, parts }, settings) => {
    const { rank } = parts[0]!
    if (parts.some((part) => part.rank !== rank)) {
      const found = parts.map((part) => part.rank)
      throw new TouchstoneError('merge.ranks-differ', { layer: name, found })
    }
    const weights = parts.map(({ weight, scale }) => Math.sqrt(weight * scale))
    const on = (side: 'A' | 'B') =>
      combine(
        parts.map((part) => part[side]),
        weights,
        { ...settings, random: (label) => settings.random(`${side} ${label}`) },
      )
    return { rank, A: on('A'), B: on('B'), lost: null }
  }

export const weightedSum: Combine = (tensors, weights) => {
  const out = new Float64Array(tensors[0]!.length)
  tensors.forEach((tensor, i) => {
    for (let t = 0; t < out.length; t++) out[t]! += weights[i]! * tensor[t]!
  })
  return out
}
