/**
 * @file The change of a fine-tune cut into singular directions, and sets of them with the same squared norm. With ΔW = Σ σ_j·u_j·v_jᵀ,
 * putting direction j back takes t·u_j(u_jᵀΔW) from W1 = W0 + ΔW, t = 1 but for the last of a set; that has ‖·‖² = t²·‖u_jᵀΔW‖².
 * Along an intruder dimension of W1 (left vectors u of W1, not of ΔW) the same is taken: they are orthonormal in each matrix.
 */
import type { DirectionsBack } from '../../contract/subjects/causes.ts'
import { spectralMatrices, type Tuned } from '../../measure/arm-spectra.ts'
import type { Base } from '../../measure/base.ts'
import { baseDirections } from '../../spectra/basis.ts'
import { applyTransposed, dot, vector } from '../../spectra/decomposition/matrix.ts'
import { leftSingular } from '../../spectra/decomposition/svd.ts'
import { wantsAll } from '../../spectra/directions.ts'
import { EPSILON } from '../../spectra/intruders.ts'
import { intruderTriplets } from '../../spectra/mitigation.ts'
import { randomStream } from '../../statistics/random.ts'

interface Piece {
  readonly weight: string
  /** u `[rows]`, of length 1. */
  readonly u: Float64Array
  /** uᵀΔW `[columns]`. */
  readonly along: Float64Array
  readonly squaredNorm: number
  /** t. */
  readonly part: number
}

interface Pieces {
  readonly directions: readonly Piece[]
  readonly intruders: readonly Piece[]
}

/** Null where a matrix is too large for a full decomposition at each set. */
export function piecesOf(base: Base, { weights }: Tuned): Pieces | null {
  const matrices = spectralMatrices(base)
  if (!matrices.every(({ shape }) => wantsAll(shape))) return null
  const found = matrices.map(({ weight, shape: [rows, columns] }) => {
    const [W0, W1] = [base.weights.get(weight)!, weights.read(weight)]
    const change = Float64Array.from(W1, (x, i) => x - W0[i]!)
    if (change.every((x) => x === 0)) return { directions: [], intruders: [] }
    const pieceAlong = (u: Float64Array): Piece => {
      const along = applyTransposed(change, u, columns)
      return { weight, u, along, squaredNorm: dot(along, 0, along, 0, columns), part: 1 }
    }
    const { left, rank } = leftSingular({ rows, columns, data: change }, { weight })
    const own = { rows, columns, data: W1 }
    const basis = baseDirections({ rows, columns, data: W0 }, weight)
    const triplets = intruderTriplets(basis, own, { epsilon: EPSILON, weight })
    return {
      directions: Array.from({ length: rank }, (_, j) => pieceAlong(vector(left, j))),
      intruders: triplets.intruders.map((j) => pieceAlong(vector(triplets.system.left, j))),
    }
  })
  return {
    directions: found.flatMap(({ directions }) => directions),
    intruders: found.flatMap(({ intruders }) => intruders),
  }
}

export const normOfPieces = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, { squaredNorm, part }) => sum + part * part * squaredNorm, 0)

/** Directions in the set's order until their ‖·‖² is `norm`, the last in part. */
export function directionSet(
  { directions, intruders }: Pieces,
  set: DirectionsBack['set'],
  norm: number,
  { seed, draw }: { readonly seed: number; readonly draw: number },
): Piece[] {
  const descending = (all: readonly Piece[]) =>
    all.toSorted((a, b) => b.squaredNorm - a.squaredNorm)
  const ordered = {
    intruders: () => descending(intruders),
    largest: () => descending(directions),
    smallest: () => descending(directions).reverse(),
    random: () => randomStream(seed, `directions put back ${draw}`).shuffle(directions),
  }[set]()
  let left = norm
  return ordered.flatMap((piece) => {
    const part = Math.min(1, Math.sqrt(Math.max(0, left) / piece.squaredNorm))
    left -= part * part * piece.squaredNorm
    return part > 0 ? [{ ...piece, part }] : []
  })
}

/** The fine-tune's weights without those pieces of its change. */
export function withoutPieces(
  { weights }: Tuned,
  pieces: readonly Piece[],
): (name: string) => Float32Array {
  const byWeight = Map.groupBy(pieces, ({ weight }) => weight)
  return (name) => {
    const own = byWeight.get(name)
    if (!own) return weights.read(name)
    const out = Float64Array.from(weights.read(name))
    for (const { u, along, part } of own)
      for (let i = 0; i < u.length; i++)
        for (let j = 0; j < along.length; j++)
          out[i * along.length + j]! -= part * u[i]! * along[j]!
    return Float32Array.from(out)
  }
}
