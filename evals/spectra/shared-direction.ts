/**
 * @file One direction that the changes of many weights share on their left side, as removing a direction from what is written to
 * the residual stream leaves it (Arditi et al. 2024, §2.4: W′ = W − r̂r̂ᵀW for every matrix that writes there).
 *
 * Of changes ΔW_k `[m, n_k]` that are not 0, with u a unit vector of dimension m:
 *
 *     shared   max_u mean_k ‖uᵀΔW_k‖²/‖ΔW_k‖²     the largest eigenvalue of mean_k ΔW_kΔW_kᵀ/‖ΔW_k‖²
 *     left     median_k ‖uᵀW′_k‖/‖uᵀW_k‖           at that u
 *
 * Removal gives shared = 1 and left = 0. Changes without anything in common share no more than chance; benign fine-tunes share
 * more than that, because their gradients pass through one stream, so what is much must be learnt from them.
 */
import { median } from '../statistics/median.ts'
import { applyTransposed, gram, type Numbers } from './decomposition/matrix.ts'
import { frobeniusNorm } from './measures.ts'
import { symmetricEigen } from './decomposition/symmetric-eigen.ts'

/** A weight before and after, `[rows, columns]` with the same number of rows for all. */
interface ChangedWeight {
  readonly rows: number
  readonly columns: number
  readonly before: Numbers
  readonly after: Numbers
}

export interface SharedDirection {
  /** In [0, 1]. */
  readonly shared: number
  /** 0: nothing is written along it any more; 1: as much as before. */
  readonly left: number
  /** u, of length 1; its sign means nothing. */
  readonly direction: Float64Array
  /** Weights that changed. */
  readonly weights: number
}

/** Undefined where no weight changed. Each weight is asked for twice, and one is held at a time. */
export function sharedDirection(
  count: number,
  weightOf: (k: number) => ChangedWeight,
): SharedDirection | undefined {
  let sum: Float64Array | undefined
  const changed: number[] = []
  for (let k = 0; k < count; k++) {
    const { rows, columns, before, after } = weightOf(k)
    const change = Float64Array.from(after, (x, i) => x - before[i]!)
    const norm = frobeniusNorm(change)
    if (norm === 0) continue
    changed.push(k)
    sum ??= new Float64Array(rows * rows)
    const own = gram(
      change.map((x) => x / norm),
      rows,
      columns,
    )
    for (let i = 0; i < own.length; i++) sum[i]! += own[i]!
  }
  if (!sum) return undefined
  const m = Math.sqrt(sum.length)
  const { values, vectors } = symmetricEigen(
    sum.map((x) => x / changed.length),
    m,
  )
  const direction = vectors.slice(0, m)
  const ratios = changed.map((k) => leftAlong(direction, weightOf(k)))
  return {
    shared: Math.min(1, Math.max(0, values[0]!)),
    left: median(ratios),
    direction,
    weights: changed.length,
  }
}

/** ‖uᵀW′‖/‖uᵀW‖; 1 where W writes nothing along u. */
function leftAlong(u: Float64Array, { columns, before, after }: ChangedWeight): number {
  const along = (W: Numbers) => frobeniusNorm(applyTransposed(W, u, columns))
  const was = along(before)
  return was === 0 ? 1 : along(after) / was
}
