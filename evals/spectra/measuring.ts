/** @file The arithmetic of one comparison, in any thread: all that needs the weights' numbers. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { BaseStore } from './base-store.ts'
import { baseDirections, type BaseSystem } from './basis.ts'
import { directionsOf, wantsAll, type Detail, type Directions } from './directions.ts'
import { leadingOfUpdate } from './low-rank-scan.ts'
import type { Room } from './entry-file.ts'
import type { Matrix, Numbers } from './decomposition/matrix.ts'
import { frobeniusNorm } from './measures.ts'
import { nullCounts, type NullRule } from './null-counts.ts'
import {
  lowRankSingularValues,
  singularValues,
  type LowRankChange,
} from './decomposition/partial-svd.ts'

/** One weight and its base; can be copied to another thread. */
export type Task = {
  /** The checkpoint's name, for errors. */
  weight: string
  shape: readonly [number, number]
  k: number
  detail?: Detail | undefined
  /** Absent if equal to the previous task's. */
  W0?: Numbers | undefined
  /** Absent if `change` may suffice. */
  W1?: Numbers | undefined
  /** An adapter's own ΔW, which is more accurate than W1 − W0: rounding blurs the rank of a difference. */
  change?: LowRankChange | undefined
  /** Absent: no random updates are drawn. */
  chance?: NullRule | undefined
}

export type Measured = {
  found: Directions
  /** All singular values of ΔW that can be nonzero; undefined if not requested. */
  changed: Float64Array | undefined
  sizeOfChange: number
  sizeOfBase: number
  /** Intruders of random updates alike in size and rank; undefined if not requested, or too expensive. */
  nullIntruders?: number[] | undefined
  /** Whether a matrix of this shape was decomposed for it, which leaves several of them to be freed. */
  isDecomposed: boolean
}

/** Resolves to undefined if the task needs W1 after all. Throws `spectrum.not-finite` or `.other-shape`. */
export type Measure = (task: Task) => Promise<Measured | undefined>

/** Keeps the basis of one weight at a time. */
export function createMeasurer(store?: BaseStore): Measure {
  let held: { W0: Matrix; base: BaseSystem } | undefined
  let isFresh = false
  const room: Room = { buffer: new ArrayBuffer(0) }
  return async (task) => {
    if (task.W0) {
      held = undefined
      const W0 = asMatrix(task.shape, task.W0)
      const kept = await store?.find(W0, room)
      isFresh = !kept
      held = { W0, base: kept ?? (await decomposedBase(W0, task.weight, store)) }
    }
    if (!held) throw new Error(`internal: ${task.weight} has no base to be compared with`)
    const found = measured(task, held.W0.data, held.base)
    return found && { ...found, isDecomposed: found.isDecomposed || isFresh }
  }
}

async function decomposedBase(W0: Matrix, weight: string, store?: BaseStore): Promise<BaseSystem> {
  const base = baseDirections(W0, weight)
  await store?.save(W0, base)
  return base
}

/** The same with the base's basis given. */
export function measured(task: Task, W0: Numbers, base: BaseSystem): Measured | undefined {
  const quick = quickly(task, base)
  const found = quick ?? fully(task, W0, base)
  if (!found) return undefined
  const sizeOfBase = frobeniusNorm(base.parts.singularValues)
  const sizes = changeOf(task, W0)
  return {
    found,
    ...sizes,
    sizeOfBase,
    nullIntruders: nullOf(task, base, sizes),
    isDecomposed: !quick,
  }
}

/** A draw costs as much as the comparison itself, so there is none where only a decomposition of W1 could tell. */
function nullOf(
  { chance, change, shape, detail, k, weight }: Task,
  { parts }: BaseSystem,
  { changed }: Pick<Measured, 'changed'>,
): number[] | undefined {
  const isCheap = change !== undefined || wantsAll(shape, detail) || changed?.length === 0
  if (!chance || !changed || !isCheap) return undefined
  return nullCounts({ ...chance, shape, base: parts.singularValues, change: changed, k, weight })
}

/** Works in the base's basis, if the change has low rank and only leading directions are requested. */
const quickly = ({ change, shape, detail, k }: Task, base: BaseSystem): Directions | undefined =>
  change && !wantsAll(shape, detail) ? leadingOfUpdate(base, change, k) : undefined

function fully(task: Task, W0: Numbers, base: BaseSystem): Directions | undefined {
  const { weight, shape, detail, k, W1 } = task
  if (!W1) return undefined
  if (W1.length !== W0.length) {
    const sizes = { tuned: W1.length, base: shape.join(' × ') }
    throw new TouchstoneError('spectrum.other-shape', { weight, ...sizes })
  }
  return directionsOf(base, asMatrix(shape, W1), { k, weight, detail })
}

/** All singular values of a full-rank change cost as much as a decomposition, so `leading` omits them. */
function changeOf(task: Task, W0: Numbers): Pick<Measured, 'changed' | 'sizeOfChange'> {
  const { weight, shape, detail, change, W1 } = task
  if (change) return sized(lowRankSingularValues(change, weight))
  if (!W1) return sized(new Float64Array(0))
  const difference = new Float64Array(W1)
  for (let i = 0; i < difference.length; i++) difference[i]! -= W0[i]!
  if (detail !== 'leading') return sized(singularValues(asMatrix(shape, difference), weight))
  return { changed: undefined, sizeOfChange: frobeniusNorm(difference) }
}

const sized = (changed: Float64Array) => ({ changed, sizeOfChange: frobeniusNorm(changed) })

const asMatrix = ([rows, columns]: readonly [number, number], data: Numbers): Matrix => {
  return { rows, columns, data }
}
