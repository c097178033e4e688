/** @file Curves without an inner peak, with equal, unequal, correlated and heavy-tailed noise, to count false alarms on. */
import { α } from '../../../evals/sweeps/detectors/peak-power.ts'
import {
  bestTriple,
  criticalValue,
  differencesOf,
  type Grid,
} from '../../../evals/sweeps/detectors/peak-statistic.ts'
import { randomStream, type RandomStream } from '../../../evals/statistics/random.ts'

interface Noise {
  readonly sd?: (share: number, place: number) => number
  /** Correlation of neighbours. */
  readonly correlation?: number
  /** Degrees of freedom of Student's t. */
  readonly tail?: number
}
interface MonotoneCase extends Noise {
  readonly name: string
  /** From the share of the way, 0 … 1, and the number of places. */
  readonly mean: (share: number, places: number) => number
}

const FAR = 1e4
const CURVES: Readonly<Record<string, MonotoneCase['mean']>> = {
  flat: () => 0,
  falling: (share) => -4 * share,
  rising: (share) => 4 * share,
  decay: (share) => 8 * Math.exp(-6 * share),
  step: (share) => (share < 0.5 ? 0 : -FAR),
  cliff: (share) => (share < 1 ? 0 : -FAR),
  valley: (share) => 8 * Math.abs(share - 0.5),
}
const NOISES: Readonly<Record<string, Noise>> = {
  even: {},
  'three times as much at the end': { sd: (share) => 1 + 2 * share },
  'three times as much at the start': { sd: (share) => 3 - 2 * share },
  'one noisy place': { sd: (_, place) => (place === 1 ? 10 : 1) },
  'two noisy places': { sd: (_, place) => (place === 1 || place === 2 ? 10 : 1) },
  'silent end': { sd: (share) => (share === 1 ? 0.01 : 1) },
  'correlated 0.8': { correlation: 0.8 },
  'heavy tails': { tail: 3 },
}

export const MONOTONE_CASES: readonly MonotoneCase[] = Object.entries(CURVES).flatMap(
  ([curve, mean]) =>
    Object.entries(NOISES).map(([name, noise]) => ({ name: `${curve}, ${name}`, mean, ...noise })),
)

function student(stream: RandomStream, degrees: number): number {
  let squares = 0
  for (let i = 0; i < degrees; i++) squares += stream.normal() ** 2
  return stream.normal() / Math.sqrt(squares / degrees)
}

function drawCurves(each: MonotoneCase, grid: Grid, stream: RandomStream): Grid {
  const { seeds, places } = grid
  const y = new Float64Array(seeds * places)
  const { sd = () => 1, correlation = 0, tail } = each
  for (let s = 0; s < seeds; s++) {
    let last = 0
    for (let place = 0; place < places; place++) {
      const own = tail === undefined ? stream.normal() : student(stream, tail)
      last = place === 0 ? own : correlation * last + Math.sqrt(1 - correlation ** 2) * own
      const share = place / (places - 1)
      y[s * places + place] = each.mean(share, places) + sd(share, place) * last
    }
  }
  return { seeds, places, y }
}

/** The share of `rounds` in which a peak is found where there is none. */
export function falseAlarms(
  each: MonotoneCase,
  grid: Grid,
  { seed, rounds }: { seed: number; rounds: number },
): number {
  const critical = criticalValue(grid, α)
  const stream = randomStream(seed, `${each.name} ${grid.seeds} × ${grid.places}`)
  let alarms = 0
  for (let round = 0; round < rounds; round++) {
    const best = bestTriple(differencesOf(drawCurves(each, grid, stream)))
    if (best && best.height >= critical) alarms++
  }
  return alarms / rounds
}
