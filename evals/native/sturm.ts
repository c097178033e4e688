/** @file Eigenvalues of a symmetric tridiagonal matrix by bisection on Sturm's count, in TypeScript. */

/** T's diagonal `[p]` and off-diagonal `[p]`; `off[i]` is between i − 1 and i. */
export interface Bands {
  readonly diagonal: Float64Array
  readonly off: Float64Array
}

/** The `k` largest eigenvalues of T except the first `from`, descending, in 55 passes over T each; `bound` ≥ every |λ|. */
export function tridiagonalValues(T: Bands, bound: number, k: number, from: number): Float64Array {
  const tiny = Number.EPSILON * bound * 1e-3
  const out = new Float64Array(k - from)
  let ceiling = bound * (1 + 4 * Number.EPSILON)
  for (let j = from; j < k; j++) {
    let [low, high] = [-bound, ceiling]
    while (high - low > 2 * Number.EPSILON * bound) {
      const middle = low + (high - low) / 2
      if (countAbove(T, middle, tiny) > j) low = middle
      else high = middle
    }
    out[j - from] = ceiling = high
  }
  return out
}

/** The number of eigenvalues of T above x: the positive pivots of T − xI. */
function countAbove({ diagonal, off }: Bands, x: number, tiny: number): number {
  let [count, pivot] = [0, 1]
  for (let i = 0; i < diagonal.length; i++) {
    const beside = i === 0 ? 0 : off[i]!
    pivot = diagonal[i]! - x - (beside * beside) / pivot
    if (Math.abs(pivot) < tiny) pivot = -tiny
    if (pivot > 0) count++
  }
  return count
}
