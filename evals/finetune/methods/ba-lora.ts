/**
 * @file BA-LoRA: PiSSA's start and three regularisers of the output distribution against inherited bias (Chang et al. 2024,
 * §3.3, generation): L = L_task + λ₁·CR + λ₂·DR + λ₃·SVDR with P the base, F the fine-tune, Z its logits `[labelled, vocab]`,
 *     CR = KL(P‖F)      DR = −entropy of F, both means over labelled tokens      SVDR = −Σ_{i≤k} σ_i(Z) / Σ σ_i(Z).
 * See docs/methods/ba-lora-lora-sb.md.
 */
import { z } from 'zod'
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import { symmetricEigen } from '../../spectra/decomposition/symmetric-eigen.ts'
import { lowRankFields } from './low-rank.ts'
import type { FineTuneMethod, LossInputs } from '../method.ts'
import { pissa } from './pissa.ts'
import { wholeNumber } from '../settings.ts'

const weight = (value: number) => z.number().min(0).max(1000).default(value)

const config = z.object({
  ...lowRankFields,
  consistency: weight(1e-4).meta({
    label: 'Consistency λ₁',
    help: 'Pulls what the model says back to what its base says; 0 leaves it out',
  }),
  diversity: weight(3e-4).meta({
    label: 'Diversity λ₂',
    help: 'Rewards replies that are less certain; 0 leaves it out',
  }),
  concentration: weight(1e-4).meta({
    label: 'Concentration λ₃',
    help: 'Rewards logits of few directions; 0 leaves it out, and saves a forward a step',
  }),
  leading: wholeNumber({ min: 1, max: 1024 }, 3, {
    label: 'Leading k',
    help: 'How many singular values of the logits count as leading',
  }),
})
type Config = z.infer<typeof config>

/** Input that holds the slope M of SVDR `[labelled, labelled]`. */
const SLOPE = 'ba_lora_slope'
/** Singular values below this share of σ₁ are rounding errors of float32 logits. */
const ROUNDING = 1e-5

export const baLora: FineTuneMethod<Config> = {
  name: 'ba-lora',
  title: 'BA-LoRA',
  paper: 'arXiv:2408.04556',
  faithfulness: 'variant',
  notes: [
    'The authors’ script indexes the singular values, one vector, as if they were a matrix, and takes them without a gradient; here SVDR is of the labelled tokens’ logits, with its exact gradient.',
    'Consistency and diversity are means over labelled tokens. The forms for classification need a head that this has not.',
    'The training loss that is reported is the task’s alone. Consistency costs a forward of the base in every step, concentration a forward and a decomposition.',
  ],
  config,
  mergeable: pissa.mergeable,
  identityAtStart: pissa.identityAtStart,

  hooks: ({ consistency, diversity, concentration, leading, ...lowRank }) => ({
    ...pissa.hooks(lowRank),
    loss(g, io) {
      const terms: readonly (readonly [number, (g: Graph, io: LossInputs) => Value])[] = [
        [consistency, divergence],
        [diversity, certainty],
        [concentration, spread],
      ]
      return terms.reduce(
        (sum, [λ, term]) => (λ === 0 ? sum : g.add(sum, g.mul(g.scalar(λ), term(g, io)))),
        io.taskLoss,
      )
    },
    ...(concentration > 0 && {
      observe(gram: Float64Array, count: number) {
        const data = leadingShare(gram, count, leading).slope
        return new Map([[SLOPE, { shape: [count, count], data }]])
      },
    }),
  }),
}

/** CR = Σ weight·Σ_v P·(log P − log F). */
export function divergence(g: Graph, { outputs, rowWeights, reference }: LossInputs): Value {
  const base = g.logSoftmax(reference())
  const apart = g.mul(g.exp(base), g.sub(base, g.logSoftmax(outputs)))
  return weighted(g, apart, rowWeights)
}

/** DR = Σ weight·Σ_v F·log F. */
export function certainty(g: Graph, { outputs, rowWeights }: LossInputs): Value {
  const own = g.logSoftmax(outputs)
  return weighted(g, g.mul(g.exp(own), own), rowWeights)
}

/**
 * ½·Σ Z ⊙ M·Z with M constant, whose gradient in Z is that of SVDR, M·Z. Its value is 0 because SVDR is invariant to the
 * scale of Z. Micro-batches are weighted by their labelled tokens.
 */
export function spread(g: Graph, { outputs: Z, rowWeights }: LossInputs): Value {
  const [rows] = Z.shape
  const M = g.input(SLOPE, g.float, [rows!, rows!])
  const half = g.mul(g.scalar(0.5), g.mul(Z, g.matMul(M, Z)))
  const share = g.reduceSum(rowWeights, [0], { keepDims: false })
  return g.mul(share, g.reduceSum(half, [0, 1], { keepDims: false }))
}

const weighted = (g: Graph, x: Value, rowWeights: Value): Value =>
  g.reduceSum(g.mul(g.reduceSum(x, [1], { keepDims: false }), rowWeights), [0], { keepDims: false })

/**
 * SVDR of Z from Z·Zᵀ = Σ σ_i²·u_i·u_iᵀ, and M with ∂SVDR/∂Z = M·Z. Since ∂σ_i/∂Z = u_i·v_iᵀ = u_i·u_iᵀ·Z/σ_i and with S_k
 * and S the two sums, M = Σ_i (S_k − [i ≤ k]·S)/(S²·σ_i) · u_i·u_iᵀ `[count, count]`.
 */
export function leadingShare(
  gram: Float64Array,
  count: number,
  k: number,
): { value: number; slope: Float32Array } {
  const { values, vectors } = symmetricEigen(gram, count)
  const σ = values.map((λ) => Math.sqrt(Math.max(0, λ)))
  const kept = σ.filter((value) => value > ROUNDING * σ[0]!)
  const sum = kept.reduce((total, value) => total + value, 0)
  const leading = kept.subarray(0, k).reduce((total, value) => total + value, 0)
  const slope = new Float64Array(count * count)
  kept.forEach((value, i) => {
    const factor = (leading - (i < k ? sum : 0)) / (sum * sum * value)
    const u = vectors.subarray(i * count, (i + 1) * count)
    for (let a = 0; a < count; a++)
      for (let b = 0; b < count; b++) slope[a * count + b]! += factor * u[a]! * u[b]!
  })
  return { value: sum === 0 ? 0 : -leading / sum, slope: Float32Array.from(slope) }
}
