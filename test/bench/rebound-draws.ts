/** @file Loss curves drawn from known expectations and noises, and how often they are called a rebound. */
import { randomStream, type RandomStream } from '../../evals/statistics/random.ts'
import { detectRebound } from '../../evals/sweeps/detectors/rebound.ts'

const NOISE = 0.05

/** Expected loss at a share of the training. Only `bump` rises. */
export const CURVES = {
  flat: () => 1,
  slow: (share: number) => 1 - 0.1 * share,
  falling: (share: number) => 0.2 + 1.2 * Math.exp(-share / 0.15),
  bump: (share: number) => CURVES.falling(share) + 0.5 * Math.exp(-(((share - 0.45) / 0.08) ** 2)),
}

type Noise = (stream: RandomStream, expected: readonly number[]) => number[]

const autoregressive =
  (φ: number): Noise =>
  (stream, expected) => {
    let e = stream.normal()
    return expected.map(() => (e = φ * e + Math.sqrt(1 - φ * φ) * stream.normal()))
  }

/** Mean 0 and standard deviation about 1. */
export const NOISES: Readonly<Record<string, Noise>> = {
  normal: (stream, expected) => expected.map(() => stream.normal()),
  skewed: (stream, expected) =>
    expected.map(() => Math.exp(0.8 * stream.normal()) - Math.exp(0.32)),
  proportional: (stream, expected) => expected.map((loss) => loss * stream.normal()),
  'autocorrelated 0.3': autoregressive(0.3),
  'autocorrelated 0.6': autoregressive(0.6),
}

export interface Draws {
  readonly curve: keyof typeof CURVES
  readonly noise: string
  readonly steps: number
  readonly seeds: number
}

/** Shares of the curves with R ≥ 0.10, and of those that get a label. */
export function labelShares({ curve, noise, steps, seeds }: Draws): { R: number; label: number } {
  const expected = Array.from({ length: steps }, (_, t) => CURVES[curve](t / steps))
  const found = Array.from({ length: seeds }, (_, seed) => {
    const e = NOISES[noise]!(randomStream(seed, `${noise} ${curve} ${steps}`), expected)
    return detectRebound(expected.map((loss, t) => loss + NOISE * e[t]!))
  })
  const share = (is: (each: (typeof found)[number]) => boolean) => found.filter(is).length / seeds
  return { R: share(({ rebound }) => rebound! >= 0.1), label: share(({ isRebound }) => isRebound) }
}
