/** @file SmolLM3 (Hugging Face, 2025): a Llama in which every fourth layer has no rotary positions (arXiv:2501.18795). */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { gatedMlp, rmsNorm, separateProjections } from '../parts.ts'
import { decoderFields, headDimOf, llamaShape, rotaryOf, slidingLayers } from './decoder-config.ts'

const config = z.looseObject({
  ...decoderFields,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  hidden_act: z.literal('silu').default('silu'),
  /** 1 where a layer has rotary positions. */
  no_rope_layers: z.array(z.int().min(0).max(1)).nullish(),
  no_rope_layer_interval: z.int().positive().default(4),
  sliding_window: z.int().positive().nullish(),
  layer_types: z.array(z.string()).nullish(),
})

export const smollm3 = decoder({
  name: 'smollm3',
  modelTypes: ['smollm3'],
  config,
  plan(c) {
    const hidden = c.hidden_size
    const rotary = rotaryOf(c)
    const sliding = slidingLayers(c, () => false)
    const turns = (layer: number) =>
      (c.no_rope_layers?.[layer] ?? Number((layer + 1) % c.no_rope_layer_interval !== 0)) === 1
    return {
      ...llamaShape(c),
      norm: rmsNorm(c.rms_norm_eps),
      projections: separateProjections({ hidden, headDim: headDimOf(c), biased: c.attention_bias }),
      mlp: gatedMlp({ hidden, activation: 'silu', biased: c.mlp_bias }),
      attention: (layer) => ({
        ...(turns(layer) && { rotary }),
        ...(sliding[layer] && c.sliding_window && { window: c.sliding_window }),
      }),
    }
  },
})
