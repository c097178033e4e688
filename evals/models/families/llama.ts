/** @file The Llama family: RMS norms before attention and MLP, rotary positions, grouped queries, a gated SiLU MLP. */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { gatedMlp, rmsNorm, separateProjections } from '../parts.ts'
import { decoderFields, headDimOf, llamaShape, rotaryOf } from './decoder-config.ts'

const config = z.looseObject({
  ...decoderFields,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  hidden_act: z.literal('silu').default('silu'),
})

export const llama = decoder({
  name: 'llama',
  modelTypes: ['llama'],
  config,
  plan(c) {
    const hidden = c.hidden_size
    const rotary = rotaryOf(c)
    return {
      ...llamaShape(c),
      norm: rmsNorm(c.rms_norm_eps),
      projections: separateProjections({ hidden, headDim: headDimOf(c), biased: c.attention_bias }),
      mlp: gatedMlp({ hidden, activation: 'silu', biased: c.mlp_bias }),
      attention: () => ({ rotary }),
    }
  },
})
