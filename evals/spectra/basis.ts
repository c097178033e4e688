/**
 * @file The pretrained directions of a weight W0 = U0 Σ V0ᵀ, decomposed once and asked how other things lie to them:
 * |U0ᵀ u| of vectors, and U0ᵀB and V0ᵀAᵀ of an adapter's factors. The short side's vectors `[p, p]` are kept; the long
 * side's follow from them (u0_i = W0 v0_i / σ_i) wherever W0 is well resolved, and are kept where it is not.
 */
import { numerics } from '../native/load.ts'
import { dot, rowProducts, vector, type Matrix, type Vectors } from './matrix.ts'
import { decomposed } from './svd.ts'

/** All min(m, n) left singular vectors of a weight `[m, n]`. */
export type Basis = {
  count: number
  /** |⟨u, u0_i⟩| over all i, the largest σ first, for each of `vectors` (of dimension m). */
  cosines: (vectors: Vectors) => Float64Array[]
}

/** A basis whose vectors are at hand. */
export function explicitBasis(left: Vectors): Basis {
  const { count, dimension, data } = left
  const cosinesOf = (u: Float64Array) =>
    Float64Array.from({ length: count }, (_, i) =>
      Math.abs(dot(u, 0, data, i * dimension, dimension)),
    )
  return {
    count,
    cosines: (vectors) =>
      Array.from({ length: vectors.count }, (_, j) => cosinesOf(vector(vectors, j))),
  }
}

/** What is kept of a decomposition, on disk too. `p` = min(m, n), `q` = max(m, n). */
export type BaseParts = {
  /** Σ, descending `[p]`. */
  singularValues: Float64Array
  /** The short side's vectors as rows `[p, p]`. */
  near: Float64Array
  /** The long side's as rows `[p, q]`, where dividing by σ would spoil them. */
  far: Float64Array | undefined
}

/** The full basis, both sides: projections give `[p, r]` of `r` rows `[r, m]` (left) or `[r, n]` (right). */
export type BaseSystem = Basis & {
  shape: readonly [number, number]
  parts: BaseParts
  projectLeft: (rows: Float64Array, r: number) => Float64Array
  projectRight: (rows: Float64Array, r: number) => Float64Array
}

/** The pretrained directions of W0, which is kept. Throws `spectrum.not-finite`, naming `weight`. */
export const baseDirections = (W0: Matrix, weight = 'W0'): BaseSystem =>
  baseSystem(W0, baseParts(W0, weight))

export function baseParts(W0: Matrix, weight = 'W0'): BaseParts {
  const { singularValues, vectors, other, isExact } = decomposed(W0, weight)
  return { singularValues, near: vectors, far: isExact ? undefined : other }
}

/** The basis that `parts`, made from W0, stand for. */
export function baseSystem(W0: Matrix, parts: BaseParts): BaseSystem {
  const { rows: m, columns: n } = W0
  const [p, isWide] = [Math.min(m, n), m <= n]
  const { singularValues: σ, near, far } = parts
  const onNear = (rows: Float64Array, r: number) => rowProducts(near, p, rows, r, p)
  const onFar = (rows: Float64Array, r: number) => {
    if (far) return rowProducts(far, p, rows, r, Math.max(m, n))
    const turned = onNear(numerics().throughWeight(rows, r, W0.data, m, n, isWide), r)
    for (let i = 0; i < p; i++) for (let a = 0; a < r; a++) turned[i * r + a]! /= σ[i]!
    return turned
  }
  const projectLeft = isWide ? onNear : onFar
  return {
    count: p,
    shape: [m, n],
    parts,
    projectLeft,
    projectRight: isWide ? onFar : onNear,
    cosines: ({ data, count, dimension }) => {
      const C = projectLeft(data.subarray(0, count * dimension), count)
      return Array.from({ length: count }, (_, j) =>
        Float64Array.from({ length: p }, (__, i) => Math.abs(C[i * count + j]!)),
      )
    },
  }
}
