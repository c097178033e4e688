/**
 * @file A gradient as the update that it would make, in three forms, and its low-rank projection.
 *
 * With Adam's moments m, v after t updates, ĉ1 = 1 − β1ᵗ⁺¹ and ĉ2 = 1 − β2ᵗ⁺¹:
 *
 *     plain    g
 *     scaled   g / (√(v/(1 − β2ᵗ)) + ε)
 *     update   (β1·m + (1 − β1)·g)/ĉ1 / (√((β2·v + (1 − β2)·g²)/ĉ2) + ε)      (LESS, Xia et al. 2024, eq. 2)
 *
 * A projection takes each tensor U `[m, n]` to L·U·Rᵀ `[k, k]` with L `[k, m]` and R `[k, n]` of independent N(0, 1/k), so that the
 * expected inner product of two projected tensors is that of the tensors. A side of at most k numbers stays as it is.
 */
import type { GradientForm } from '../../contract/subjects/causes.ts'
import type { ParameterSlice } from '../../finetune/training/parameters.ts'
import { isTrained } from '../../finetune/training/parameters.ts'
import type { TrainingState } from '../../finetune/training/state.ts'
import type { TrainingConfig } from '../../finetune/training/train.ts'
import { randomStream } from '../../statistics/random.ts'
import { joined } from '../../models/weights/joined.ts'

type Vector = Float32Array | Float64Array
type Moments = Pick<TrainingState, 'firstMoment' | 'secondMoment' | 'step'>
type Betas = Pick<TrainingConfig, 'beta1' | 'beta2' | 'epsilon'>

/** Each form of `gradient` by itself, into `out` of the same length. `state.step` ≥ 1 for the forms of Adam. */
export function formOf(
  form: GradientForm,
  gradient: Vector,
  { firstMoment: m, secondMoment: v, step }: Moments,
  { beta1, beta2, epsilon }: Betas,
  out: Float64Array,
): Float64Array {
  const [c1, c2] = [1 - beta1 ** (step + 1), 1 - beta2 ** (step + 1)]
  const before = 1 - beta2 ** step
  for (let j = 0; j < out.length; j++) {
    const g = gradient[j]!
    if (form === 'plain') out[j] = g
    else if (form === 'scaled') out[j] = g / (Math.sqrt(v[j]! / before) + epsilon)
    else
      out[j] =
        (beta1 * m[j]! + (1 - beta1) * g) /
        c1 /
        (Math.sqrt((beta2 * v[j]! + (1 - beta2) * g * g) / c2) + epsilon)
  }
  return out
}

/** Each tensor times its own factor of the learning rate, in place. */
export function atOwnRates(update: Float64Array, slices: readonly ParameterSlice[]): Float64Array {
  for (const { start, end, learningRateScale } of slices)
    if (learningRateScale !== 1) for (let j = start; j < end; j++) update[j]! *= learningRateScale
  return update
}

export type Project = (vector: Float64Array) => Float64Array

/** The trained tensors of a flat vector, one after the other, each projected to at most `k` × `k`; null: the vector as it is. */
export function projectionOf(slices: readonly ParameterSlice[], k: number | null): Project {
  if (k === null) return (vector) => vector
  const trained = slices.filter(isTrained)
  const made = trained.map((slice) => {
    const columns = slice.shape.at(-1) ?? 1
    const rows = (slice.end - slice.start) / columns
    const left = sideOf(`${slice.name} left`, rows, k)
    const right = sideOf(`${slice.name} right`, columns, k)
    return { ...slice, rows, columns, left, right }
  })
  return (vector) =>
    joined(
      Float64Array,
      made.map(({ start, end, rows, columns, left, right }) =>
        projected(vector.subarray(start, end), { rows, columns, left, right }),
      ),
    )
}

/** `[k, size]`, or null where the side is no longer than that. */
function sideOf(name: string, size: number, k: number): Float64Array | null {
  if (size <= k) return null
  const { normal } = randomStream(0, `project: ${name}`)
  return Float64Array.from({ length: k * size }, () => normal() / Math.sqrt(k))
}

interface Sides {
  readonly rows: number
  readonly columns: number
  readonly left: Float64Array | null
  readonly right: Float64Array | null
}

/** L·U·Rᵀ. */
export function projected(U: Float64Array, { rows, columns, left, right }: Sides): Float64Array {
  const narrow = right ? timesTransposed(U, rows, columns, right) : U
  const width = narrow.length / rows
  return left ? times(left, narrow, rows, width) : narrow
}

/** U `[rows, columns]` times Rᵀ. */
function timesTransposed(U: Float64Array, rows: number, columns: number, R: Float64Array) {
  const k = R.length / columns
  const out = new Float64Array(rows * k)
  for (let i = 0; i < rows; i++)
    for (let r = 0; r < k; r++) {
      let sum = 0
      for (let j = 0; j < columns; j++) sum += U[i * columns + j]! * R[r * columns + j]!
      out[i * k + r] = sum
    }
  return out
}

/** L `[k, rows]` times U `[rows, width]`. */
function times(L: Float64Array, U: Float64Array, rows: number, width: number): Float64Array {
  const k = L.length / rows
  const out = new Float64Array(k * width)
  for (let r = 0; r < k; r++)
    for (let i = 0; i < rows; i++) {
      const l = L[r * rows + i]!
      for (let j = 0; j < width; j++) out[r * width + j]! += l * U[i * width + j]!
    }
  return out
}

export function inner(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let j = 0; j < a.length; j++) sum += a[j]! * b[j]!
  return sum
}
