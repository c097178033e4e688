/**
 * @file The singular basis of a base weight W0 = U0 Σ V0ᵀ and projections on it: |U0ᵀ u| of vectors, and U0ᵀB and V0ᵀAᵀ of an
 * adapter's factors. Stores the short side's vectors `[p, p]`; the long side's follow as u0_i = W0 v0_i / σ_i if W0 is well
 * resolved, and are stored otherwise.
 */
import { numerics } from '../native/load.ts'
import { rowProducts, type Matrix, type Vectors } from './decomposition/matrix.ts'
import { decomposed } from './decomposition/svd.ts'

/** All min(m, n) left singular vectors of a weight `[m, n]`. */
export type Basis = {
  count: number
  /** |⟨u, u0_i⟩| over all i, σ descending, for each of `vectors` (of dimension m). */
  cosines: (vectors: Vectors) => Float64Array[]
}

/** The stored parts of a decomposition. `p` = min(m, n), `q` = max(m, n). */
export type BaseParts = {
  /** Σ, descending `[p]`. */
  singularValues: Float64Array
  /** The short side's vectors as rows `[p, p]`. */
  near: Float64Array
  /** The long side's vectors as rows `[p, q]`, where dividing by σ would be inaccurate. */
  far: Float64Array | undefined
}

/** Both sides of the basis. */
export type BaseSystem = Basis & {
  shape: readonly [number, number]
  parts: BaseParts
  /** Products of rows with U0 and V0: `[r, p]` each, from `left` `[r, m]` and `right` `[r, n]`. */
  project: (
    left: Float64Array,
    right: Float64Array,
    r: number,
  ) => { left: Float64Array; right: Float64Array }
}

/** The singular basis of W0, which it references. Throws `spectrum.not-finite`, naming `weight`. */
export const baseDirections = (W0: Matrix, weight = 'W0'): BaseSystem =>
  baseSystem(W0, baseParts(W0, weight))

function baseParts(W0: Matrix, weight = 'W0'): BaseParts {
  const { singularValues, vectors, other, isExact } = decomposed(W0, weight)
  return { singularValues, near: vectors, far: isExact ? undefined : other }
}

/** The basis given by `parts`, which were computed from W0. */
export function baseSystem(W0: Matrix, parts: BaseParts): BaseSystem {
  const { rows: m, columns: n } = W0
  const [p, isWide] = [Math.min(m, n), m <= n]
  const { singularValues: σ, near, far } = parts
  const onNear = (rows: Float64Array, r: number) => rowProducts(rows, r, near, p, p)
  const toNear = (rows: Float64Array, r: number) =>
    numerics().throughWeight(rows, r, W0.data, m, n, isWide)
  const divided = (rows: Float64Array) => rows.map((x, at) => x / σ[at % p]!)
  const onFar = (rows: Float64Array, r: number) =>
    far ? rowProducts(rows, r, far, p, Math.max(m, n)) : divided(onNear(toNear(rows, r), r))
  return {
    count: p,
    shape: [m, n],
    parts,
    project(left, right, r) {
      const [short, long] = isWide ? [left, right] : [right, left]
      const [onShort, onLong] = far
        ? [onNear(short, r), onFar(long, r)]
        : bothOnNear(short, toNear(long, r), r)
      return isWide ? { left: onShort, right: onLong } : { left: onLong, right: onShort }
    },
    cosines: ({ data, count, dimension }) => {
      const rows = data.subarray(0, count * dimension)
      const C = isWide ? onNear(rows, count) : onFar(rows, count)
      return Array.from({ length: count }, (_, j) => C.slice(j * p, (j + 1) * p).map(Math.abs))
    },
  }

  /** Both products with `near` in one pass, because reading it dominates the cost. */
  function bothOnNear(short: Float64Array, turned: Float64Array, r: number) {
    const rows = new Float64Array(2 * r * p)
    rows.set(short)
    rows.set(turned, r * p)
    const both = onNear(rows, 2 * r)
    return [both.subarray(0, r * p), divided(both.subarray(r * p))] as const
  }
}
