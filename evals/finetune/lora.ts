/**
 * @file LoRA: W′ = W + (α/r)·B·A, with A `[r, in]` and B `[out, r]` trained, W frozen (Hu et al. 2021, §4).
 * A begins uniform in ±1/√in (Kaiming with a = √5), B at zero, so the model begins as its base.
 */
import { z } from 'zod'
import type { FineTuneMethod } from './method.ts'

const TARGETS = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']

const config = z.object({
  rank: z.int().min(1).max(1024).default(8).meta({ label: 'Rank', help: 'Width of the update' }),
  alpha: z
    .number()
    .positive()
    .default(16)
    .meta({ label: 'Alpha', help: 'Scales the update by alpha / rank' }),
  targetModules: z
    .array(z.string())
    .min(1)
    .default(TARGETS)
    .meta({ label: 'Target modules', help: 'Linear layers to adapt' }),
})

export const LORA_A = 'lora_A.weight'
export const LORA_B = 'lora_B.weight'

export const lora: FineTuneMethod<z.infer<typeof config>> = {
  name: 'lora',
  title: 'LoRA',
  paper: 'arXiv:2106.09685',
  faithfulness: 'exact',
  config,
  mergeable: true,
  identityAtStart: true,

  attach(g, site, { rank, alpha, targetModules }) {
    if (!targetModules.includes(site.module)) return undefined
    const { name, inFeatures, outFeatures, weight: W } = site
    const A = g.parameter(`${name}.${LORA_A}`, [rank, inFeatures], {
      initialiser: { uniform: 1 / Math.sqrt(inFeatures) },
    })
    const B = g.parameter(`${name}.${LORA_B}`, [outFeatures, rank], { initialiser: 'zeros' })
    const scale = alpha / rank
    return {
      forward: (x) => g.lowRankLinear(x, W, A, B, scale),
      weight: () => g.add(W, g.mul(g.matMul(B, A), g.scalar(scale))),
    }
  },

  toPeft: (parameters, { rank, alpha, targetModules }, base) => ({
    config: { base, rank, alpha, targetModules: [...targetModules].sort() },
    tensors: parameters,
  }),
}
