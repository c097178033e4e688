/**
 * @file The level of each look of a group-sequential test, so that by look k it rejects a true hypothesis with probability
 * `spent[k]`. Under the hypothesis the score at fraction t is B(t)/√t of a Brownian motion B, and the density of B where it went on
 * is carried from look to look (Armitage, McPherson and Rowe, JRSS A 132 (1969); Jennison and Turnbull, "Group Sequential Methods
 * with Applications to Clinical Trials", 2000, chapter 19), by Simpson's rule.
 */
import { normalLowerTail, normalQuantile } from '../normal.ts'

/** Odd, for Simpson's rule. */
const POINTS = 121
/** Standard deviations beyond which a density counts as nothing. */
const REACH = 8
const NOTHING = 1e-14

/** B at the points of a grid up to where it stops, with density times Simpson's weight. */
interface Going {
  readonly at: Float64Array
  readonly mass: Float64Array
}

/** One-sided; 0 where nothing is spent. `fractions` and `spent` ascend. */
export function nominalLevels(fractions: readonly number[], spent: readonly number[]): number[] {
  let going: Going = { at: Float64Array.of(0), mass: Float64Array.of(1) }
  return fractions.map((t, k) => {
    const sd = Math.sqrt(t - (fractions[k - 1] ?? 0))
    const wanted = spent[k]! - (spent[k - 1] ?? 0)
    const bound = wanted > NOTHING ? boundOf(going, sd, wanted, t) : REACH * Math.sqrt(t)
    going = carried(going, sd, [-REACH * Math.sqrt(t), bound])
    return wanted > NOTHING ? normalLowerTail(-bound / Math.sqrt(t)) : 0
  })
}

/** c with P[B > c, having gone on] = `wanted`: Newton on its logarithm, which is concave, from a c beyond it. */
function boundOf({ at, mass }: Going, sd: number, wanted: number, t: number): number {
  let bound = -normalQuantile(wanted) * Math.sqrt(t)
  for (let i = 0; i < 12; i++) {
    let [tail, slope] = [0, 0]
    at.forEach((from, j) => {
      const z = (bound - from) / sd
      tail += mass[j]! * normalLowerTail(-z)
      slope += mass[j]! * density(z)
    })
    const step = (Math.log(tail / wanted) * tail * sd) / slope
    bound += step
    if (Math.abs(step) < 1e-12) break
  }
  return bound
}

function carried({ at, mass }: Going, sd: number, [low, high]: readonly [number, number]): Going {
  const step = (high - low) / (POINTS - 1)
  const points = Float64Array.from({ length: POINTS }, (_, i) => low + i * step)
  const weighed = points.map((point, i) => {
    const weight = i === 0 || i === POINTS - 1 ? 1 : i % 2 === 1 ? 4 : 2
    let sum = 0
    for (let j = 0; j < at.length; j++) sum += mass[j]! * density((point - at[j]!) / sd)
    return (sum / sd) * weight * (step / 3)
  })
  return { at: points, mass: weighed }
}

const density = (z: number) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
