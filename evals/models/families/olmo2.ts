/** @file OLMo 2 (arXiv:2501.00656): norms after each branch instead of before, and queries and keys normed whole. */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { gatedMlp, rmsNorm, separateProjections } from '../parts.ts'
import { decoderFields, headDimOf, llamaShape, rotaryOf } from './decoder-config.ts'

const config = z.looseObject({
  ...decoderFields,
  attention_bias: z.boolean().default(false),
  hidden_act: z.literal('silu').default('silu'),
})

export const olmo2 = decoder({
  name: 'olmo2',
  modelTypes: ['olmo2'],
  config,
  plan(c) {
    const hidden = c.hidden_size
    const rotary = rotaryOf(c)
    const norm = rmsNorm(c.rms_norm_eps)
    return {
      ...llamaShape(c),
      attentionNorms: { after: 'post_attention_layernorm' },
      mlpNorms: { after: 'post_feedforward_layernorm' },
      norm,
      projections: separateProjections({
        hidden,
        headDim: headDimOf(c),
        biased: c.attention_bias,
        queryKeyNorm: { over: 'whole', norm },
      }),
      mlp: gatedMlp({ hidden, activation: 'silu' }),
      attention: () => ({ rotary }),
    }
  },
})
