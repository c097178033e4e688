/**
 * @file Random ReLU features and least squares of smallest norm: double descent in closed form (docs/methods/double-descent.md).
 *
 *     x ∈ R³⁰ ~ N(0, I),  ‖w‖ = 1,  y = wᵀx + noise·ξ,  φ(x) = max(0, Fᵀx),  F ~ N(0, 1) `[inputs, features]`,  β = Φ⁺ y
 *     test error = E_x (wᵀx − βᵀφ(x))² = 1 − βᵀ Fᵀw + βᵀ K β
 *     K_ab = E φ_a φ_b = ‖f_a‖ ‖f_b‖ (sin θ + (π − θ) cos θ) / 2π,  θ the angle between f_a and f_b (Cho and Saul 2009)
 */
import { z } from 'zod'
import { randomStream } from '../../statistics/random.ts'
import type { Testbed } from './testbed.ts'
import { leastSquares } from './least-squares.ts'

const Config = z.object({
  features: z.int().min(1).max(4000).default(40).describe('random features (the capacity)'),
  samples: z.int().min(1).max(4000).default(40).describe('training samples'),
  inputs: z.int().min(1).max(1000).default(30).describe('input dimensions'),
  noise: z
    .number()
    .min(0)
    .max(100)
    .default(0.5)
    .describe('standard deviation of the noise on training targets'),
})
type Config = z.infer<typeof Config>

export const randomFeatures: Testbed<Config> = {
  name: 'random-features',
  title: 'Random ReLU features, least squares',
  version: '1',
  source: 'Belkin et al. 2019; Nakkiran et al. 2019',
  config: Config,
  run: async (parameters, seed, signal) => {
    signal.throwIfAborted()
    return Promise.resolve(trial(parameters, seed))
  },
}

/** One random stream for each kind of draw, so a wider network has the data and the first features of a narrower one. */
function trial({ features, samples, inputs, noise }: Config, seed: number) {
  const normals = (label: string, length: number) => {
    const stream = randomStream(seed, `random-features ${label}`)
    return Float64Array.from({ length }, () => stream.normal())
  }
  const x = normals('inputs', samples * inputs)
  const ξ = normals('noise', samples)
  const direction = normals('direction', inputs)
  const norm = Math.sqrt(dot(direction, 0, direction, 0, inputs))
  const w = direction.map((value) => value / norm)
  // f_a is row a: `[features, inputs]`.
  const F = normals('features', features * inputs)
  const y = ξ.map((value, s) => dot(x, s * inputs, w, 0, inputs) + noise * value)
  const Φ = Float64Array.from({ length: samples * features }, (_, at) => {
    const [s, a] = [Math.floor(at / features), at % features]
    return Math.max(0, dot(x, s * inputs, F, a * inputs, inputs))
  })
  const β = leastSquares(Φ, samples, features, y)
  let squares = 0
  for (let s = 0; s < samples; s++) squares += (dot(Φ, s * features, β, 0, features) - y[s]!) ** 2
  return {
    trainError: squares / samples,
    testError: populationError(β, F, w, inputs),
    metrics: { 'coefficient-norm': Math.sqrt(dot(β, 0, β, 0, features)) },
  }
}

/** E_x (wᵀx − βᵀφ(x))². E wᵀx φ_a = wᵀf_a / 2. */
export function populationError(β: Float64Array, F: Float64Array, w: Float64Array, inputs: number) {
  const features = β.length
  const norms = β.map((_, a) => Math.sqrt(dot(F, a * inputs, F, a * inputs, inputs)))
  let error = dot(w, 0, w, 0, inputs)
  for (let a = 0; a < features; a++) {
    error -= β[a]! * dot(F, a * inputs, w, 0, inputs)
    error += (β[a]! * norms[a]!) ** 2 / 2
    for (let b = 0; b < a; b++) {
      const size = norms[a]! * norms[b]!
      const cosine = Math.max(-1, Math.min(1, dot(F, a * inputs, F, b * inputs, inputs) / size))
      const θ = Math.acos(cosine)
      error += (β[a]! * β[b]! * size * (Math.sin(θ) + (Math.PI - θ) * cosine)) / Math.PI
    }
  }
  return error
}

function dot(a: Float64Array, i: number, b: Float64Array, j: number, length: number): number {
  let sum = 0
  for (let t = 0; t < length; t++) sum += a[i + t]! * b[j + t]!
  return sum
}
