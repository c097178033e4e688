/** @file Mistral (Jiang et al. 2023, arXiv:2310.06825): a Llama whose layers may see a sliding window only. */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { gatedMlp, rmsNorm, separateProjections } from '../decoder-parts.ts'
import { decoderFields, headDimOf, llamaShape, rotaryOf } from './decoder-config.ts'

const config = z.looseObject({
  ...decoderFields,
  sliding_window: z.int().positive().nullish(),
  hidden_act: z.literal('silu').default('silu'),
})

export const mistral = decoder({
  name: 'mistral',
  modelTypes: ['mistral'],
  config,
  plan(c) {
    const hidden = c.hidden_size
    const rotary = rotaryOf(c)
    return {
      ...llamaShape(c),
      norm: rmsNorm(c.rms_norm_eps),
      projections: separateProjections({ hidden, headDim: headDimOf(c) }),
      mlp: gatedMlp({ hidden, activation: 'silu' }),
      attention: () => ({ rotary, ...(c.sliding_window && { window: c.sliding_window }) }),
    }
  },
})
