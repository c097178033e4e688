/**
 * @file Qwen2 (arXiv:2407.10671): Llama with biases on q, k and v. Qwen3 (arXiv:2505.09388): no biases, and each head of q and
 * k is normed. Both allow a sliding window in their upper layers.
 */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import {
  count,
  headDimOf,
  llamaShape,
  rotaryOf,
  siluFields,
  slidingLayers,
} from '../decoder-config.ts'
import type { ModelFamily } from '../family.ts'
import {
  attentionBias,
  LLAMA_NAMES,
  llamaTable,
  queryKeyNorms,
} from '../formats/gguf/llama-shape.ts'
import { rotary } from '../formats/gguf/rotary.ts'
import { gatedMlp, rmsNorm, separateProjections } from '../parts.ts'

const fields = {
  ...siluFields,
  max_position_embeddings: count(32768),
  use_sliding_window: z.boolean().default(false),
  sliding_window: count(4096).nullable(),
  max_window_layers: z.int().nonnegative().default(28),
  layer_types: z.array(z.string()).nullish(),
}

const qwen2Config = z.looseObject(fields)
const qwen3Config = z.looseObject({
  ...fields,
  head_dim: count(128).nullable(),
  attention_bias: z.boolean().default(false),
})
type Fields = z.infer<typeof qwen2Config>

function windows(c: Fields) {
  const sliding = slidingLayers(c, (layer) => c.use_sliding_window && layer >= c.max_window_layers)
  return (layer: number) =>
    c.use_sliding_window && sliding[layer] && c.sliding_window ? { window: c.sliding_window } : {}
}

const shared = (c: Fields) => {
  const positions = rotaryOf(c)
  const window = windows(c)
  return {
    ...llamaShape(c),
    norm: rmsNorm(c.rms_norm_eps),
    mlp: gatedMlp({ hidden: c.hidden_size, activation: 'silu' }),
    attention: (layer: number) => ({ rotary: positions, ...window(layer) }),
  }
}

const qwen2 = decoder({
  name: 'qwen2',
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

const qwen3 = decoder({
  name: 'qwen3',
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

const qwen2Gguf = llamaTable({
  architecture: 'qwen2',
  className: 'Qwen2ForCausalLM',
  rules: [rotary()],
})

const qwen3Gguf = llamaTable({
  architecture: 'qwen3',
  className: 'Qwen3ForCausalLM',
  names: { inside: { ...LLAMA_NAMES.inside, ...queryKeyNorms } },
  rules: [rotary(), attentionBias],
})

export const qwen: readonly ModelFamily[] = [
  { architecture: qwen2, gguf: qwen2Gguf },
  { architecture: qwen3, gguf: qwen3Gguf },
]
