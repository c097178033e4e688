/**
 * @file Mistral (arXiv:2310.06825): a Llama whose layers may see a sliding window only. Mixtral (arXiv:2401.04088): a
 * Mistral whose MLP is a mixture of experts.
 */
import { z } from 'zod'
import { decoder, type DecoderPlan } from '../decoder.ts'
import { expertsMlp, gatedMlp, rmsNorm, separateProjections } from '../parts.ts'
import { decoderFields, headDimOf, llamaShape, rotaryOf } from './decoder-config.ts'

const MAX_EXPERTS = 256

const mistralConfig = z.looseObject({
  ...decoderFields,
  sliding_window: z.int().positive().nullish(),
  hidden_act: z.literal('silu').default('silu'),
})
const mixtralConfig = mistralConfig.extend({
  rms_norm_eps: z.number().positive().default(1e-5),
  num_local_experts: z.int().positive().max(MAX_EXPERTS).default(8),
  num_experts_per_tok: z.int().positive().max(MAX_EXPERTS).default(2),
})

function shared(c: z.infer<typeof mistralConfig>): Omit<DecoderPlan, 'mlp'> {
  const rotary = rotaryOf(c)
  return {
    ...llamaShape(c),
    norm: rmsNorm(c.rms_norm_eps),
    projections: separateProjections({ hidden: c.hidden_size, headDim: headDimOf(c) }),
    attention: () => ({ rotary, ...(c.sliding_window && { window: c.sliding_window }) }),
  }
}

export const mistral = decoder({
  name: 'mistral',
  modelTypes: ['mistral'],
  config: mistralConfig,
  plan: (c) => ({ ...shared(c), mlp: gatedMlp({ hidden: c.hidden_size, activation: 'silu' }) }),
})

export const mixtral = decoder({
  name: 'mixtral',
  modelTypes: ['mixtral'],
  config: mixtralConfig,
  plan: (c) => ({
    ...shared(c),
    mlp: expertsMlp({
      hidden: c.hidden_size,
      activation: 'silu',
      experts: c.num_local_experts,
      chosen: Math.min(c.num_experts_per_tok, c.num_local_experts),
    }),
  }),
})
