/**
 * @file Differential privacy: what is clipped, the noise that is added, and the budget that is spent. Neighbours differ by one
 * example, or one client, that is added or removed: the clipped sum has sensitivity C.
 */
import { fillNormal, type RandomStream } from '../../statistics/random.ts'
import type { Round } from './strategy.ts'
import { clippedUpdates } from './tensors.ts'

export const PRIVACY_UNITS = ['example', 'client'] as const

export interface Privacy {
  readonly unit: (typeof PRIVACY_UNITS)[number]
  /** C: largest norm of an example's gradient or a client's update. */
  readonly clip: number
  /** σ: the noise added to the clipped sum has standard deviation σ·C. */
  readonly noise: number
  readonly delta: number
}

/** ρ = T/(2σ²) of T Gaussian releases (Bun and Steinke 2016, proposition 1.6 and lemma 1.7). */
export const zcdp = (releases: number, noise: number): number => releases / (2 * noise ** 2)

/** ε of (ε, δ)-privacy: ρ + 2√(ρ ln(1/δ)) (Bun and Steinke 2016, proposition 1.3). */
export const epsilonOf = (rho: number, delta: number): number =>
  rho + 2 * Math.sqrt(rho * Math.log(1 / delta))

/** x + N(0, deviation²·I), in place. */
export function addNoise<T extends Float64Array | Float32Array>(
  x: T,
  deviation: number,
  stream: Pick<RandomStream, 'normal'>,
): T {
  const noise = fillNormal(new Float64Array(x.length), stream)
  for (let t = 0; t < x.length; t++) x[t]! += deviation * noise[t]!
  return x
}

/**
 * Before + (Σ clip(Δ_i) + N(0, σ²C²I))/n (McMahan et al. 2018): weights do not count, and n is the number of clients that were
 * asked, whoever answered, so that one client more or less moves the sum by at most C.
 */
export function privateMean(
  round: Round,
  { clip, noise }: Pick<Privacy, 'clip' | 'noise'>,
  asked: number,
  stream: Pick<RandomStream, 'normal'>,
): Map<string, Float64Array> {
  const updates = clippedUpdates(round, clip)
  return new Map(
    [...round.before].map(([name, { data: from }]) => {
      const sum = new Float64Array(from.length)
      for (const { tensors } of updates) {
        const { data } = tensors.get(name)!
        for (let t = 0; t < sum.length; t++) sum[t]! += data[t]! - from[t]!
      }
      addNoise(sum, noise * clip, stream)
      return [name, sum.map((x, t) => from[t]! + x / asked)] as const
    }),
  )
}
