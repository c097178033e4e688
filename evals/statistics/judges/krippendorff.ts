/**
 * @file Agreement of any number of raters with missing ratings: Krippendorff's α = 1 − D_o/D_e (Content Analysis, 1980, chapter
 * 12).
 *
 * o_ck counts pairs of values within a unit, each unit weighted by 1/(m_u − 1); n_c = Σ_k o_ck;
 * D_o/D_e = (n − 1) Σ o_ck δ²(c, k) / Σ n_c n_k δ²(c, k), with δ² = 1 for different labels or (c − k)² for scores.
 */

type Level = 'nominal' | 'interval'

/**
 * `ratings[unit][rater]`, null where a rater did not rate. Returns null with fewer than two pairable ratings or if all ratings
 * are equal.
 */
export function krippendorffAlpha(
  ratings: readonly (readonly (string | number | null)[])[],
  level: Level = 'nominal',
): number | null {
  const units = ratings
    .map((unit) => unit.filter((value) => value !== null))
    .filter((unit) => unit.length > 1)
  const distance = level === 'nominal' ? nominal : interval
  const counts = new Map<string | number, number>()
  let [observed, n] = [0, 0]
  for (const unit of units) {
    n += unit.length
    let within = 0
    for (const [i, value] of unit.entries()) {
      counts.set(value, (counts.get(value) ?? 0) + 1)
      for (const [j, other] of unit.entries()) if (i !== j) within += distance(value, other)
    }
    observed += within / (unit.length - 1)
  }
  let expected = 0
  for (const [value, count] of counts) {
    for (const [other, otherCount] of counts)
      expected += count * otherCount * distance(value, other)
  }
  return expected === 0 ? null : 1 - ((n - 1) * observed) / expected
}

const nominal = (a: string | number, b: string | number) => (a === b ? 0 : 1)

function interval(a: string | number, b: string | number): number {
  if (typeof a !== 'number' || typeof b !== 'number') {
    throw new Error('internal: an interval scale needs numbers')
  }
  return (a - b) ** 2
}
