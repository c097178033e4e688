/**
 * @file How far noise alone lets a smoothed loss rise. H0: the expected loss never rises. A bias-corrected EMA is linear and keeps
 * a falling curve falling, so the rise of (falling curve + noise) is at most that of the noise: a flat curve is the worst case,
 * and p = (1 + draws whose rise is at least the observed one)/(1 + draws) is valid for every falling one.
 *
 * The noise, what is left of the best falling fit, is a Gaussian AR(1) with a variance that may change over the steps. Both are read from differences, which a slow rise
 * hardly moves: Var(x_t − x_{t−1}) = 2γ(1 − φ) and Var(x_t − x_{t−2}) = 2γ(1 − φ²), so that their ratio is 1 + φ.
 */
import { randomStream } from '../../statistics/random.ts'

const DRAWS = 199
/** The variance is a mean over this share of the steps, and at least so many. */
const [LOCAL_SHARE, LOCAL_STEPS] = [0.1, 10]
/** φ is taken this many standard errors (1/√n) above its estimate, and at most at the other. */
const [CAUTION, MOST_PHI] = [1, 0.95]

/** p of a rise of the smoothed losses; `riseOf` gives the greatest rise of a curve. Seeded by their number. */
export function riseByChance(
  losses: readonly number[],
  riseOf: (curve: readonly number[]) => number,
): number {
  const observed = riseOf(losses)
  const falling = fallingFit(losses)
  const { φ, deviations } = noiseOf(losses.map((loss, t) => loss - falling[t]!))
  const stream = randomStream(losses.length, 'loss rebound')
  const fresh = Math.sqrt(1 - φ * φ)
  let asFar = 0
  for (let draw = 0; draw < DRAWS; draw++) {
    let e = stream.normal()
    const curve = deviations.map((deviation, t) => {
      if (t > 0) e = φ * e + fresh * stream.normal()
      return deviation * e
    })
    if (riseOf(curve) >= observed) asFar++
  }
  return (1 + asFar) / (1 + DRAWS)
}

/** φ, and the standard deviation of the noise at each step. */
function noiseOf(losses: readonly number[]): { φ: number; deviations: number[] } {
  const n = losses.length
  const half = Math.ceil(Math.max(LOCAL_STEPS, LOCAL_SHARE * n) / 2)
  const squares = (lag: number) =>
    losses.map((loss, t) => (loss - losses[t >= lag ? t - lag : t + lag]!) ** 2)
  const [one, two] = [squares(1), squares(2)]
  const local = losses.map((_, t) => mean(one.slice(Math.max(0, t - half), t + half + 1)))
  const ratio = (of: readonly number[]) => mean(of.map((x, t) => (x === 0 ? 0 : x / local[t]!)))
  const estimate = ratio(two) / ratio(one) - 1
  const φ = Math.min(MOST_PHI, Math.max(0, estimate + CAUTION / Math.sqrt(n)))
  return { φ, deviations: local.map((square) => Math.sqrt(square / (2 * (1 - φ)))) }
}

/** Least squares among the curves that never rise: neighbours in the wrong order are pooled (Barlow et al. 1972). */
function fallingFit(losses: readonly number[]): number[] {
  const pools: { mean: number; steps: number }[] = []
  for (const loss of losses) {
    let pool = { mean: loss, steps: 1 }
    for (let last = pools.at(-1); last && last.mean < pool.mean; last = pools.at(-1)) {
      const steps = last.steps + pool.steps
      pool = { mean: (last.mean * last.steps + pool.mean * pool.steps) / steps, steps }
      pools.pop()
    }
    pools.push(pool)
  }
  return pools.flatMap((pool) => new Array<number>(pool.steps).fill(pool.mean))
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length
