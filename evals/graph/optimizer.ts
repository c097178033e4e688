/**
 * @file AdamW over flat vectors, in place, with arithmetic in float64 and storage in float32:
 * m ← β1·m + (1−β1)·g;  v ← β2·v + (1−β2)·g²;  θ ← θ − η·(m̂/(√v̂ + ε) + λ·θ), m̂ = m/(1−β1ᵗ), v̂ = v/(1−β2ᵗ)
 * (Loshchilov & Hutter 2019; PyTorch's order of operations). It runs outside the graph, because the ONNX Runtime binding copies
 * every output and a float32 reduction of a long gradient in a graph is off by percents.
 */
import { numerics } from '../native/load.ts'
import type { AdamWScalars, AdamWVectors } from '../native/numerics.ts'

export interface AdamWConfig extends Pick<AdamWScalars, 'beta1' | 'beta2' | 'epsilon'> {
  readonly weightDecay: number
}

/** Vectors `[size]` in the order of the parameters. `step` counts finished updates. */
export interface OptimizerState extends Omit<AdamWVectors, 'gradient'> {
  step: number
}

/** A range of the flat vector with its own learning-rate factor and decay. */
export interface ParameterGroup {
  readonly start: number
  readonly end: number
  readonly learningRateScale: number
  readonly decays: boolean
}

/** ‖g‖₂, accumulated in float64. */
export const globalNorm = async (gradient: Float32Array): Promise<number> =>
  Math.sqrt(await numerics().squaredNorm(gradient))

/** The factor that clips a gradient of norm `norm` to `maximum`, as in torch.nn.utils.clip_grad_norm_. */
export const clipFactor = (norm: number, maximum: number): number =>
  maximum > 0 ? Math.min(1, maximum / (norm + 1e-6)) : 1

/** One update of `state` by `gradientScale`·gradient. Elements outside every group keep their bits. */
export async function adamW(
  state: OptimizerState,
  gradient: Float32Array,
  { beta1, beta2, epsilon, weightDecay }: AdamWConfig,
  groups: readonly ParameterGroup[],
  learningRate: number,
  gradientScale: number,
): Promise<void> {
  const t = state.step + 1
  const runs = groups.map(({ start, end, learningRateScale, decays }) => {
    const rate = learningRate * learningRateScale
    const keep = decays ? 1 - rate * weightDecay : 1
    return { start, end, keep, stepSize: rate / (1 - beta1 ** t) }
  })
  const rootCorrection2 = Math.sqrt(1 - beta2 ** t)
  const scalars = { beta1, beta2, epsilon, rootCorrection2, gradientScale }
  await numerics().adamW({ ...state, gradient }, runs, scalars)
  state.step = t
}
