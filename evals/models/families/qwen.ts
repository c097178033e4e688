/**
 * @file Qwen2 (arXiv:2407.10671): a Llama with biases on q, k, v. Qwen3 (arXiv:2505.09388): none, and each head of q and k
 * is normed. Both may give their upper layers a sliding window.
 */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { gatedMlp, rmsNorm, separateProjections } from '../parts.ts'
import { decoderFields, headDimOf, llamaShape, rotaryOf, slidingLayers } from './decoder-config.ts'

const fields = {
  ...decoderFields,
  hidden_act: z.literal('silu').default('silu'),
  use_sliding_window: z.boolean().default(false),
  sliding_window: z.int().positive().nullish(),
  max_window_layers: z.int().nonnegative().default(28),
  layer_types: z.array(z.string()).nullish(),
}

const qwen2Config = z.looseObject(fields)
const qwen3Config = z.looseObject({ ...fields, attention_bias: z.boolean().default(false) })
type Fields = z.infer<typeof qwen2Config>

function windows(c: Fields) {
  const sliding = slidingLayers(c, (layer) => c.use_sliding_window && layer >= c.max_window_layers)
  return (layer: number) => (sliding[layer] && c.sliding_window ? { window: c.sliding_window } : {})
}

const shared = (c: Fields) => {
  const rotary = rotaryOf(c)
  const window = windows(c)
  return {
    ...llamaShape(c),
    norm: rmsNorm(c.rms_norm_eps),
    mlp: gatedMlp({ hidden: c.hidden_size, activation: 'silu' }),
    attention: (layer: number) => ({ rotary, ...window(layer) }),
  }
}

export const qwen2 = decoder({
  name: 'qwen2',
  modelTypes: ['qwen2'],
  config: qwen2Config,
  plan: (c) => ({
    ...shared(c),
    projections: separateProjections({
      hidden: c.hidden_size,
      headDim: headDimOf(c),
      biased: true,
      outputBiased: false,
    }),
  }),
})

export const qwen3 = decoder({
  name: 'qwen3',
  modelTypes: ['qwen3'],
  config: qwen3Config,
  plan: (c) => ({
    ...shared(c),
    projections: separateProjections({
      hidden: c.hidden_size,
      headDim: headDimOf(c),
      biased: c.attention_bias,
      queryKeyNorm: { over: 'head', norm: rmsNorm(c.rms_norm_eps) },
    }),
  }),
})
