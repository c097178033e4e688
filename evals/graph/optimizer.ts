/**
 * @file AdamW over flat vectors, in place, with arithmetic in float64 and storage in float32:
 * m ← β1·m + (1−β1)·g;  v ← β2·v + (1−β2)·g²;  θ ← θ − η·(m̂/(√v̂ + ε) + λ·θ), m̂ = m/(1−β1ᵗ), v̂ = v/(1−β2ᵗ)
 * (Loshchilov & Hutter 2019; PyTorch's order of operations). In TypeScript rather than in the graph: through the ONNX
 * Runtime binding every output is copied, and a graph's float32 reduction of a long gradient is off by percents.
 */

export interface AdamWConfig {
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
  readonly weightDecay: number
}

/** All `[size]`, the parameters' order. `step` counts finished updates. */
export interface OptimizerState {
  readonly parameters: Float32Array
  readonly firstMoment: Float32Array
  readonly secondMoment: Float32Array
  step: number
}

/** A run of the flat vector with its own learning-rate factor and decay. */
export interface ParameterGroup {
  readonly start: number
  readonly end: number
  readonly learningRateScale: number
  readonly decays: boolean
}

/** ‖g‖₂, accumulated in float64. */
export function globalNorm(gradient: Float32Array): number {
  let sum = 0
  for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!
  return Math.sqrt(sum)
}

/** The factor that brings a gradient of norm `norm` down to `maximum`, as torch.nn.utils.clip_grad_norm_ has it. */
export const clipFactor = (norm: number, maximum: number): number =>
  maximum > 0 ? Math.min(1, maximum / (norm + 1e-6)) : 1

/** One update of `state` by `gradientScale`·gradient. Elements outside every group stay as they are, bit for bit. */
export function adamW(
  state: OptimizerState,
  gradient: Float32Array,
  { beta1, beta2, epsilon, weightDecay }: AdamWConfig,
  groups: readonly ParameterGroup[],
  learningRate: number,
  gradientScale: number,
): void {
  const t = state.step + 1
  const rootCorrection2 = Math.sqrt(1 - beta2 ** t)
  const { parameters: p, firstMoment: m, secondMoment: v } = state
  for (const { start, end, learningRateScale, decays } of groups) {
    const rate = learningRate * learningRateScale
    const keep = decays ? 1 - rate * weightDecay : 1
    const stepSize = rate / (1 - beta1 ** t)
    for (let i = start; i < end; i++) {
      const d = gradient[i]! * gradientScale
      const first = (m[i] = beta1 * m[i]! + (1 - beta1) * d)
      const second = (v[i] = beta2 * v[i]! + (1 - beta2) * d * d)
      p[i] = p[i]! * keep - (stepSize * first) / (Math.sqrt(second) / rootCorrection2 + epsilon)
    }
  }
  state.step = t
}
