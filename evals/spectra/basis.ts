/**
 * @file The pretrained directions of a weight, asked only how they lie to given vectors: |U0ᵀ u|. No column of U0 is
 * formed where W0 = U Σ Vᵀ is well resolved: u is turned into the eigenbasis by the steps that found it.
 */
import { applyTransposed, dot, gram, vector, type Matrix, type Vectors } from './matrix.ts'
import { shortSide } from './short-side.ts'
import { survivesSquaring, type Turn } from './squaring.ts'
import { leftSingular } from './svd.ts'
import { diagonalise, reflect, tridiagonalise, type Tridiagonal } from './tridiagonal.ts'

/** All min(m, n) left singular vectors of a weight `[m, n]`. */
export type Basis = {
  count: number
  /** What keeping it costs. */
  bytes: number
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
  return { count, bytes: data.byteLength, cosines: (vectors) => each(vectors).map(cosinesOf) }
}

const each = (vectors: Vectors) =>
  Array.from({ length: vectors.count }, (_, j) => vector(vectors, j))

/** How far from orthonormal the implied columns of U0 may be: a tenth of what is promised of c_j. */
const SKEW = 1e-7

/** The pretrained directions of W0, which is kept. Throws `spectrum.not-finite`, naming `weight`. */
export function baseDirections(W0: Matrix, weight = 'W0'): Basis {
  const { p, q, T, isWide, scale } = shortSide(W0, weight)
  const reduced = tridiagonalise(gram(T, p, q), p)
  const { values, turn } = recordedTurn(reduced)
  const σ = values.map((λ) => Math.sqrt(Math.max(λ, 0)))
  if (scale === 0 || !survivesSquaring(T, σ, turn, SKEW)) {
    return explicitBasis(leftSingular(W0, { weight }).left)
  }
  const order = Uint32Array.from(σ.keys()).sort((i, j) => σ[j]! - σ[i]!)
  return {
    count: p,
    bytes: reduced.reflectors.byteLength + (isWide ? 0 : W0.data.byteLength),
    cosines: (vectors) => {
      // Where W0 is tall, u0_i = W0 v_i / σ_i, so ⟨u, u0_i⟩ = ⟨W0ᵀ u, v_i⟩ / σ_i.
      const turned = isWide
        ? each(vectors).map((u) => u.slice())
        : each(vectors).map((u) => applyTransposed(W0.data, u, p).map((x) => x / scale))
      turnAll(reduced, turned)
      return turned.map((y) =>
        Float64Array.from(order, (i) => Math.abs(isWide ? y[i]! : y[i]! / σ[i]!)),
      )
    },
  }
}

/** y ← Sᵀ Qᵀ y for every vector at once: QL is quick enough to be run again rather than remembered. */
function turnAll(T: Tridiagonal, vectors: readonly Float64Array[]) {
  for (const y of vectors) reflect(T, y, 'into')
  diagonalise(T, (i, cosine, sine) => {
    for (const y of vectors) rotate(y, i, cosine, sine)
  })
}

/** The eigenvalues in S's order, and the turn both ways; the way back needs the rotations in reverse. */
function recordedTurn(T: Tridiagonal): { values: Float64Array; turn: Turn } {
  const steps: number[] = []
  const values = diagonalise(T, (i, cosine, sine) => steps.push(i, cosine, sine))
  const into = (x: Float64Array) => {
    const y = x.slice()
    reflect(T, y, 'into')
    for (let s = 0; s < steps.length; s += 3) rotate(y, steps[s]!, steps[s + 1]!, steps[s + 2]!)
    return y
  }
  const from = (x: Float64Array) => {
    const y = x.slice()
    for (let s = steps.length - 3; s >= 0; s -= 3) {
      rotate(y, steps[s]!, steps[s + 1]!, -steps[s + 2]!)
    }
    reflect(T, y, 'from')
    return y
  }
  return { values, turn: { into, from } }
}

function rotate(y: Float64Array, i: number, cosine: number, sine: number) {
  const upper = y[i]!
  const lower = y[i + 1]!
  y[i + 1] = sine * upper + cosine * lower
  y[i] = cosine * upper - sine * lower
}
