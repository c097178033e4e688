/**
 * @file Pruning while tuning (LoRAPrune, Zhang et al. 2023): how much is gone at a step, and how important each group is, from the
 * gradients of A and B alone.
 */
import type { Groups } from './cut.ts'
import { eachRow, termIn, type PairSlices } from './methods/pairs.ts'
import { withUpdate } from './methods/moved-base.ts'

interface Ramp {
  readonly steps: number
  /** Shares of the steps before the first group goes, and after the last. */
  readonly warmUp: number
  readonly coolDown: number
}

/** First and last step at which groups go. */
export const rampOf = ({ steps, warmUp, coolDown }: Ramp) => {
  const begin = Math.floor(warmUp * steps)
  return { begin, end: Math.max(begin, steps - Math.floor(coolDown * steps)) }
}

/** The share that is gone at step t: 0 before `begin`, f from `end`, f·(1 − (1 − (t − begin)/(end − begin))³) between. */
export function shareAt(step: number, final: number, ramp: Ramp): number {
  const { begin, end } = rampOf(ramp)
  if (step >= end) return final
  return step < begin ? 0 : final * (1 - (1 - (step - begin) / (end - begin)) ** 3)
}

export const SCORES = ['absolute', 'squared'] as const

interface Scored {
  readonly parameters: Float32Array
  /** ∂L/∂A and ∂L/∂B, in the places of the parameters. */
  readonly gradient: Float32Array
  readonly scale: number
  /** `[out, in]`. */
  readonly weight: Float32Array
  readonly score: (typeof SCORES)[number]
}

/**
 * Σ |Ĝ ∘ W′| or Σ (Ĝ ∘ W′)² over each row or column, with Ĝ = gB·A + B·gA − gB·gA, near the gradient of the whole weight, and
 * W′ = W + s·B·A.
 */
export function channelScores(
  pair: PairSlices,
  side: 'rows' | 'columns',
  { parameters, gradient, scale, weight, score }: Scored,
): Float64Array {
  const [now, change] = [termIn(parameters, pair), termIn(gradient, pair)]
  const tuned = withUpdate(weight, now, scale)
  const terms = [
    { B: change.B, A: now.A.map((a, i) => a - change.A[i]!) },
    { B: now.B, A: change.A },
  ]
  const sums = new Float64Array(side === 'rows' ? pair.rows : pair.columns)
  eachRow(pair, terms, 1, (i, row) =>
    row.forEach((g, j) => {
      const e = Math.abs(g * tuned[i * pair.columns + j]!)
      sums[side === 'rows' ? i : j]! += score === 'squared' ? e * e : e
    }),
  )
  return sums
}

/**
 * Importance of each group of a layer: channels summed by group, divided by the vector's L2 norm, and the matrices added.
 * Groups that are gone score 0. @param channelsOf scores of a matrix by channel; undefined where it is not adapted
 */
export function importanceOf(
  { count, members }: Groups,
  gone: readonly boolean[],
  channelsOf: (member: Groups['members'][number]) => Float64Array | undefined,
): Float64Array {
  const total = new Float64Array(count)
  for (const member of members) {
    const own = new Float64Array(count)
    channelsOf(member)?.forEach((score, channel) => {
      const group = Math.floor(channel / member.width)
      if (gone[group] !== true) own[group]! += score
    })
    const norm = Math.sqrt(own.reduce((sum, score) => sum + score * score, 0))
    if (norm > 0) own.forEach((score, group) => (total[group]! += score / norm))
  }
  return total
}
