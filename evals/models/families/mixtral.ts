/** @file Mixtral (arXiv:2401.04088): a Mistral whose MLP is a mixture of experts. */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { expertsMlp, rmsNorm, separateProjections } from '../decoder-parts.ts'
import { decoderFields, headDimOf, llamaShape, rotaryOf } from './decoder-config.ts'

const MAX_EXPERTS = 256

const config = z.looseObject({
  ...decoderFields,
  rms_norm_eps: z.number().positive().default(1e-5),
  sliding_window: z.int().positive().nullish(),
  hidden_act: z.literal('silu').default('silu'),
  num_local_experts: z.int().positive().max(MAX_EXPERTS).default(8),
  num_experts_per_tok: z.int().positive().max(MAX_EXPERTS).default(2),
})

export const mixtral = decoder({
  name: 'mixtral',
  modelTypes: ['mixtral'],
  config,
  plan(c) {
    const hidden = c.hidden_size
    const rotary = rotaryOf(c)
    return {
      ...llamaShape(c),
      norm: rmsNorm(c.rms_norm_eps),
      projections: separateProjections({ hidden, headDim: headDimOf(c) }),
      mlp: expertsMlp({
        hidden,
        activation: 'silu',
        experts: c.num_local_experts,
        chosen: Math.min(c.num_experts_per_tok, c.num_local_experts),
      }),
      attention: () => ({ rotary, ...(c.sliding_window && { window: c.sliding_window }) }),
    }
  },
})
