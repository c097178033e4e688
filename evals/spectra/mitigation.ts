/**
 * @file Scales intruder dimensions down (Shuttleworth et al. 2025, §6; docs/methods/spectra.md), matrix by matrix, with
 * controls. With σ_i, u_i, v_i the triplets of W1 = W0 + ΔW and i its highest intruder:
 *
 *         paper      W1 + (λ − 1)·σ_i·u_i·v_iᵀ
 *         peft       the same for every intruder in the top k; an adapter's change is then cut back to its rank
 *         shrink     W0 + ΔW·‖ΔW + (λ − 1)·σ_i·u_i·v_iᵀ‖_F / ‖ΔW‖_F
 *         neighbour  as `paper`, for the direction nearest to i that is no intruder
 *
 * PEFT's help says that a higher λ removes more. Its formula, like the paper's, does the opposite; this follows the formula.
 */
import type { Mitigation } from '../contract/mitigation.ts'
import type { BaseSystem } from './basis.ts'
import { findIntruders, TOP_DIRECTIONS } from './intruders.ts'
import {
  applyTransposed,
  normaliseRows,
  vector,
  type Matrix,
  type Numbers,
} from './decomposition/matrix.ts'
import { frobeniusNorm } from './measures.ts'
import { leadingLeft } from './decomposition/partial-svd.ts'
import { scaleDirection } from './scaling.ts'
import type { SingularSystem } from './decomposition/svd.ts'

/** The leading directions of W1 on both sides, and which of them are intruders. */
export interface IntruderTriplets {
  readonly system: SingularSystem
  readonly intruders: readonly number[]
}

export function intruderTriplets(
  base: BaseSystem,
  W1: Matrix,
  { epsilon, k = TOP_DIRECTIONS, weight }: { epsilon: number; k?: number; weight: string },
): IntruderTriplets {
  const { left, singularValues, rank } = leadingLeft(W1, k, weight)
  const data = new Float64Array(left.count * W1.columns)
  for (let j = 0; j < left.count; j++)
    data.set(applyTransposed(W1.data, vector(left, j), W1.columns), j * W1.columns)
  normaliseRows(data, W1.columns, left.count)
  const right = { dimension: W1.columns, count: left.count, data }
  const system = { left, singularValues, rank, right }
  return { system, intruders: findIntruders(base, system, { k, epsilon }).intruders }
}

export interface Mitigable extends IntruderTriplets {
  readonly W0: Numbers
  readonly W1: Matrix
  /** The rank of the adapter that made ΔW, if any. */
  readonly rank: number | undefined
}

/** The number of directions that a form scales in this matrix; 0 leaves the matrix unchanged. */
export const scaledDirections = (form: Mitigation, found: IntruderTriplets): readonly number[] => {
  const [highest] = found.intruders
  if (highest === undefined) return []
  if (form === 'peft') return found.intruders
  if (form === 'neighbour') return neighbourOf(highest, found)
  return [highest]
}

/** The scaled matrix; W1's own numbers at λ = 1 and if no direction is scaled. */
export function mitigated(form: Mitigation, λ: number, of: Mitigable): Numbers {
  const scaled = scaledDirections(form, of)
  if (λ === 1 || scaled.length === 0) return of.W1.data
  const after = scaled.reduce((W, j) => scaleDirection(W, of.system, j, λ), of.W1)
  if (form === 'shrink') return shrunk(of, after)
  return form === 'peft' && of.rank !== undefined ? cutBack(of, after, of.rank) : after.data
}

/** The nearest non-intruder by rank, preferring the smaller σ; there may be none among the leading directions. */
function neighbourOf(i: number, { system, intruders }: IntruderTriplets): number[] {
  const others = Array.from({ length: system.left.count }, (_, j) => j).filter(
    (j) => !intruders.includes(j),
  )
  const nearest = others.sort((a, b) => Math.abs(a - i) - Math.abs(b - i) || b - a)[0]
  return nearest === undefined ? [] : [nearest]
}

const changeOf = (W: Numbers, W0: Numbers): Float64Array =>
  Float64Array.from(W, (x, i) => x - W0[i]!)

function shrunk({ W0, W1 }: Mitigable, after: Matrix): Float64Array {
  const change = changeOf(W1.data, W0)
  const factor = frobeniusNorm(changeOf(after.data, W0)) / frobeniusNorm(change)
  return change.map((x, i) => W0[i]! + factor * x)
}

/** W0 plus the best approximation of the new change at the adapter's rank, so that it can be an adapter again. */
function cutBack({ W0 }: Mitigable, { rows, columns, data }: Matrix, rank: number): Float64Array {
  const change = changeOf(data, W0)
  const { left } = leadingLeft({ rows, columns, data: change }, rank)
  const out = new Float64Array(W0)
  for (let j = 0; j < left.count; j++) {
    const u = vector(left, j)
    const along = applyTransposed(change, u, columns)
    for (let i = 0; i < rows; i++)
      for (let t = 0; t < columns; t++) out[i * columns + t]! += u[i]! * along[t]!
  }
  return out
}
