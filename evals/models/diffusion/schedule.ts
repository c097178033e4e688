/**
 * @file Noise levels of a diffusion, and samplers over them: x_t = α_t·x_0 + σ_t·ε with α = cos φ, σ = sin φ and φ even over a
 * quarter turn (Nichol and Dhariwal 2021, without their offset). DDIM with η = 0 (Song et al. 2021, eq. 12).
 */

interface Level {
  readonly alpha: number
  readonly sigma: number
}

/** t = 0 (almost clean) … levels − 1 (almost noise). */
export function levelOf(t: number, levels: number): Level {
  const angle = ((t + 1) / (levels + 1)) * (Math.PI / 2)
  return { alpha: Math.cos(angle), sigma: Math.sin(angle) }
}

/** `steps` levels from the noisiest down, evenly spaced. */
export const ddimLevels = (levels: number, steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => Math.round(((steps - i) * levels) / steps) - 1)

/** ε̂ of each x at a noise level. */
type Predict = (xs: readonly Float64Array[], t: number) => Promise<readonly ArrayLike<number>[]>

interface Sampling {
  readonly levels: number
  readonly steps: number
  /** Largest |x_0| that an estimate may have. */
  readonly bound: number
}

/** x̂_0 = (x − σ·ε̂)/α, within the bound. */
export function cleaned(
  x: ArrayLike<number>,
  noise: ArrayLike<number>,
  { alpha, sigma }: Level,
  bound: number,
): Float64Array {
  return Float64Array.from(x, (value, i) =>
    Math.max(-bound, Math.min(bound, (value - sigma * noise[i]!) / alpha)),
  )
}

/** From noise to samples: x ← α′·x̂_0 + σ′·ε̂ at each level, and x̂_0 at the last. One call of `predict` a step. */
export async function ddim(
  start: readonly Float64Array[],
  predict: Predict,
  { levels, steps, bound }: Sampling,
): Promise<Float64Array[]> {
  const plan = ddimLevels(levels, steps)
  let xs = [...start]
  for (const [i, t] of plan.entries()) {
    const level = levelOf(t, levels)
    const next = plan[i + 1] === undefined ? undefined : levelOf(plan[i + 1]!, levels)
    const noises = await predict(xs, t)
    xs = xs.map((x, row) => stepped(x, noises[row]!, { level, next, bound }))
  }
  return xs
}

interface Step {
  readonly level: Level
  /** None after the last step. */
  readonly next: Level | undefined
  readonly bound: number
}

/** With ε̂ of the bounded x̂_0, so that x stays on the path between them. */
export function stepped(x: Float64Array, noise: ArrayLike<number>, { level, next, bound }: Step) {
  const clean = cleaned(x, noise, level, bound)
  if (!next) return clean
  return clean.map(
    (value, i) => next.alpha * value + (next.sigma * (x[i]! - level.alpha * value)) / level.sigma,
  )
}

/** ε̂_w = ε_u + w·(ε_c − ε_u) (Ho and Salimans 2021): w = 1 is the condition alone, w = 0 none. */
export const guided = (
  conditional: ArrayLike<number>,
  unconditional: ArrayLike<number>,
  weight: number,
): Float64Array =>
  Float64Array.from(unconditional, (free, i) => free + weight * (conditional[i]! - free))
