/**
 * @file The energy distance of two samples (Székely and Rizzo 2013, eq. 6.1, with means over pairs of distinct members, which
 * are unbiased): 2·E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖. 0 in expectation where both come from one distribution, and only there.
 */

type Point = ArrayLike<number>

function distance(a: Point, b: Point): number {
  let squares = 0
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2
  return Math.sqrt(squares)
}

const meanDistance = (from: Point, to: readonly Point[]) =>
  to.reduce((sum, other) => sum + distance(from, other), 0) / to.length

interface FromReference {
  /**
   * Rows of `sample` for `energyOf`: its own index, the mean distance to the reference, the distance to each row of `sample`.
   */
  readonly rows: (sample: readonly Point[]) => number[][]
  /** Of rows that were drawn with repetition; null without two distinct ones. */
  readonly energyOf: (rows: readonly (readonly number[])[]) => number | null
}

/** @param reference at least two points */
export function energyFrom(reference: readonly Point[]): FromReference {
  const n = reference.length
  const within = reference.reduce((sum, point) => sum + meanDistance(point, reference), 0) / (n - 1)
  return {
    rows: (sample) =>
      sample.map((point, i) => [
        i,
        meanDistance(point, reference),
        ...sample.map((other) => distance(point, other)),
      ]),
    energyOf(rows) {
      const counts = new Map<number, number>()
      for (const [index] of rows) counts.set(index!, (counts.get(index!) ?? 0) + 1)
      const distinct = new Map(rows.map((row) => [row[0]!, row]))
      let [sum, pairs] = [0, rows.length ** 2]
      for (const [i, row] of distinct) {
        const own = counts.get(i)!
        pairs -= own ** 2
        for (const [j, times] of counts) sum += own * times * row[2 + j]!
      }
      if (pairs === 0) return null
      const across = rows.reduce((total, row) => total + row[1]!, 0) / rows.length
      return 2 * across - sum / pairs - within
    },
  }
}
