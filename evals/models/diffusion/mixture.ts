/**
 * @file A mixture of isotropic normals under diffusion, whose noise has closed forms: with x_0 ~ Σ π_c·N(μ_c, τ²I),
 *
 *     q_t(x | c) = N(α·μ_c, (α²τ² + σ²)·I),  ε_c = σ·(x − α·μ_c)/(α²τ² + σ²),  ε_u = Σ γ_c·ε_c,  γ_c ∝ π_c·q_t(x | c).
 */

export interface Mixture {
  /** μ_c, each `[dimensions]`. */
  readonly means: readonly (readonly number[])[]
  /** τ² of every component. */
  readonly variance: number
  /** π_c; equal if absent. */
  readonly shares?: readonly number[]
}

interface Level {
  readonly alpha: number
  readonly sigma: number
}

const spreadAt = ({ variance }: Mixture, { alpha, sigma }: Level) =>
  alpha ** 2 * variance + sigma ** 2

/** γ_c of x: the probability of each component. */
export function responsibilities(mixture: Mixture, x: ArrayLike<number>, level: Level): number[] {
  const { means, shares } = mixture
  const spread = spreadAt(mixture, level)
  const logs = means.map((mean, c) => {
    const squares = mean.reduce((sum, μ, i) => sum + (x[i]! - level.alpha * μ) ** 2, 0)
    return Math.log(shares?.[c] ?? 1 / means.length) - squares / (2 * spread)
  })
  const largest = Math.max(...logs)
  const powers = logs.map((log) => Math.exp(log - largest))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}

/** E[ε | x, c]. */
export function noiseGiven(
  mixture: Mixture,
  x: ArrayLike<number>,
  level: Level,
  c: number,
): number[] {
  const spread = spreadAt(mixture, level)
  return mixture.means[c]!.map((μ, i) => (level.sigma * (x[i]! - level.alpha * μ)) / spread)
}

/** E[ε | x]. */
export function noiseOf(mixture: Mixture, x: ArrayLike<number>, level: Level): number[] {
  const shares = responsibilities(mixture, x, level)
  const each = shares.map((_, c) => noiseGiven(mixture, x, level, c))
  return each[0]!.map((_, i) => shares.reduce((sum, share, c) => sum + share * each[c]![i]!, 0))
}
