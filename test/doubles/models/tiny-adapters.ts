/** @file A random Llama, wide enough that a product is summed in several pieces, and adapters of all its linear layers. */
import type { LowRankChanges } from '../../../evals/inference/stack.ts'
import { adaptedWeights } from '../../../evals/models/weights/tuned-weights.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { tinyModel } from './tiny-model.ts'

export const VOCAB = 128
const WIDE = {
  hidden: 192,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  inner: 1100,
  vocab: VOCAB,
}
export const tiny = tinyModel({ ...WIDE, seed: 2 })
export const modules = [...tiny.model.weights.values()].flatMap(({ name, module }) =>
  module ? [name] : [],
)

/** An adapter of every linear layer; α is no power of two. */
export function adapterOf(seed: number, rank: number): LowRankChanges {
  const tensors = new Map(
    modules.flatMap((weight) => {
      const [out, width] = tiny.model.weights.get(weight)!.shape as [number, number]
      const module = weight.slice(0, -'.weight'.length)
      const stream = randomStream(seed, module)
      const draw = (shape: readonly [number, number], size: number) => ({
        shape,
        data: Float32Array.from({ length: shape[0] * shape[1] }, () => size * stream.normal()),
      })
      return [
        [`${module}.lora_A.weight`, draw([rank, width], 1 / Math.sqrt(width))],
        [`${module}.lora_B.weight`, draw([out, rank], 0.1)],
      ] as const
    }),
  )
  const config = { base: '', rank, alpha: 5, targetModules: ['all-linear'] }
  return adaptedWeights(tiny.weights, { config, tensors }, 'adapter').lowRank!
}
