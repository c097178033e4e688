/**
 * @file What chance gives for one matrix: the intruder counts of random updates with the singular values of ΔW, and so its rank
 * and size. W0 + P diag(σ(ΔW)) Qᵀ with P and Q uniformly random orthonormal frames (Haar): for noise whose distribution no
 * rotation changes, of any rank, the draws and the observed count are exchangeable.
 */
import { fillNormal, randomStream, type RandomStream } from '../statistics/random.ts'
import type { BaseSystem } from './basis.ts'
import { orthogonalise, rowProducts, transposed } from './decomposition/matrix.ts'
import { directionsOf } from './directions.ts'
import { intrudersOf, largestOf } from './intruders.ts'
import { leadingOfUpdate } from './low-rank-scan.ts'

/** An exchangeable count exceeds all of 19 draws in at most 1 of 20 cases. */
export const NULL_DRAWS = 19

export type NullRule = { draws: number; epsilon: number; seed: number }

type NullFor = NullRule & {
  shape: readonly [number, number]
  /** σ(W0), descending `[min(m, n)]`. */
  base: Float64Array
  /** σ(ΔW), descending. */
  change: Float64Array
  k: number
  weight: string
}

/** Up to this short side products with vectors cost more than a decomposition of the sum. */
const SMALL = 96

/** The count of each draw: a function of its arguments alone. All 0 if nothing changed. */
export function nullCounts({ shape, base, change, k, weight, ...rule }: NullFor): number[] {
  const σ = change.filter((value) => value > 0)
  const counts = new Array<number>(rule.draws).fill(0)
  if (σ.length === 0) return counts
  const onAxes = diagonalBase(shape, base)
  const stream = randomStream(rule.seed, `null update of ${weight}`)
  return counts.map(() => {
    const { singularValues, cosines } = drawn(onAxes, σ, k, stream)
    return intrudersOf(singularValues, cosines.map(largestOf), rule.epsilon).intruders.length
  })
}

function drawn(base: BaseSystem, σ: Float64Array, k: number, stream: RandomStream) {
  const [m, n] = base.shape
  const rank = σ.length
  const P = randomFrame(m, rank, stream).map((x, i) => x * σ[Math.floor(i / m)]!)
  const [B, A] = [transposed(P, rank, m), randomFrame(n, rank, stream)]
  const quick = base.count > SMALL && leadingOfUpdate(base, { B, A, rank, scale: 1 }, k)
  if (quick) return quick
  const data = rowProducts(B, m, transposed(A, rank, n), n, rank)
  base.parts.singularValues.forEach((value, i) => (data[i * n + i]! += value))
  const W1 = { rows: m, columns: n, data }
  return directionsOf(base, W1, { k, weight: 'a null update', detail: 'leading' })
}

/** Orthonormal rows `[rank, width]`, uniform over all such frames: Gaussian rows made orthogonal one by one. */
function randomFrame(width: number, rank: number, stream: RandomStream): Float64Array {
  const rows = fillNormal(new Float64Array(rank * width), stream)
  for (let i = 0; i < rank; i++) orthogonalise(rows.subarray(i * width, (i + 1) * width), rows, i)
  return rows
}

/** A base with these singular values whose directions are the axes: a Haar frame looks the same from any basis. */
function diagonalBase(shape: readonly [number, number], σ: Float64Array): BaseSystem {
  const p = σ.length
  const first = (rows: Float64Array, r: number) => {
    const width = rows.length / r
    return width === p ? rows : rows.filter((_, i) => i % width < p)
  }
  return {
    count: p,
    shape,
    parts: { singularValues: σ, near: new Float64Array(0), far: undefined },
    project: (left, right, r) => ({ left: first(left, r), right: first(right, r) }),
    cosines: ({ data, dimension, count }) =>
      Array.from({ length: count }, (_, j) =>
        data.slice(j * dimension, j * dimension + p).map(Math.abs),
      ),
  }
}
