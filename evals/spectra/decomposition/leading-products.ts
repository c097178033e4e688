/**
 * @file The leading directions of a weight by products with vectors: O(mn) per Krylov step, without a Gram matrix. A probe
 * checks that none was missed: it searches the remainder from another random start until a larger σ would have been found with
 * probability 1 − 10⁻⁶.
 */
import { fillNormal, randomStream } from '../../statistics/random.ts'
import {
  areDistinct,
  largestSeen,
  leadingTriplets,
  type LeadingTriplets,
  type Operator,
} from './golub-kahan.ts'
import { addRows, applyInto, finiteNumbers, type Matrix } from './matrix.ts'
import type { SingularSystem } from './svd.ts'

/** Beyond this part of min(m, n) steps a decomposition is cheaper, and fewer steps than these for each direction are too few. */
const WORTH = 1 / 3
const LEAST = 3
const MISSED = 1e-6

/**
 * The first k left vectors; undefined where they are tied, small, or too expensive, and W must be decomposed. Throws
 * `spectrum.not-finite`.
 */
export function leadingByProducts(
  W: Matrix,
  k: number,
  weight: string,
): Pick<SingularSystem, 'left' | 'singularValues' | 'rank'> | undefined {
  const most = Math.floor(WORTH * Math.min(W.rows, W.columns))
  if (LEAST * k > most) return undefined
  const M = operatorOf(W, weight)
  const found = leadingTriplets(M, k, most)
  if (!found || !areDistinct(found) || !isComplete(M, found, most)) return undefined
  const { left, singularValues } = found
  return { left: { dimension: W.rows, count: k, data: left }, singularValues, rank: k }
}

function operatorOf(W: Matrix, weight: string): Operator {
  const { rows, columns } = W
  const X = finiteNumbers(W, weight)
  return {
    rows,
    columns,
    times: (v, out) => void applyInto(out, X, v, rows),
    timesTransposed(u, out) {
      out.fill(0)
      addRows(out, 1, u, X, rows)
    },
  }
}

/**
 * After j steps from a random start Lanczos underestimates the largest λ of n by a part ε with probability at most 1.648 √n
 * e^(−√ε (2j − 1)) (Kuczyński and Woźniakowski 1992). Here λ = σ², and ε is the distance from half-way to the next σ.
 */
function isComplete(M: Operator, { singularValues, left, next }: LeadingTriplets, most: number) {
  const last = singularValues.at(-1)!
  const θ = (last + next) / 2
  const ε = 1 - (θ / last) ** 2
  const odds = Math.log((1.648 * Math.sqrt(M.columns)) / MISSED)
  const steps = Math.ceil((odds / Math.sqrt(ε) + 1) / 2)
  if (steps > most) return false
  return largestSeen(without(M, left, singularValues.length), steps) <= θ
}

/** (I − Uᵀ U) M for orthonormal rows U `[count, rows]`. */
function without(M: Operator, U: Float64Array, count: number): Operator {
  const { rows, columns } = M
  const shares = new Float64Array(count)
  const remove = (u: Float64Array) => addRows(u, -1, applyInto(shares, U, u, count), U, count)
  return {
    rows,
    columns,
    times(v, out) {
      M.times(v, out)
      remove(out)
    },
    timesTransposed(u, out) {
      const rest = u.slice()
      remove(rest)
      M.timesTransposed(rest, out)
    },
    start: fillNormal(new Float64Array(columns), randomStream(columns, 'second start')),
  }
}
