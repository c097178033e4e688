/**
 * @file SmolLM3 (Hugging Face, 2025): Llama in which every fourth layer has no rotary positions (arXiv:2501.18795). GGUF does
 * not store that interval.
 */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import {
  count,
  headDimOf,
  llamaShape,
  positive,
  rotaryOf,
  siluFields,
  slidingLayers,
} from '../decoder-config.ts'
import type { ModelFamily } from '../family.ts'
import {
  attentionBias,
  interleavedHeads,
  llamaTable,
  mlpBias,
} from '../formats/gguf/llama-shape.ts'
import { rotary } from '../formats/gguf/rotary.ts'
import { gatedMlp, rmsNorm, separateProjections } from '../parts.ts'

const config = z.looseObject({
  ...siluFields,
  max_position_embeddings: count(32768),
  rope_theta: positive(2e6),
  tie_word_embeddings: z.boolean().default(true),
  use_sliding_window: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  /** 1 for a layer with rotary positions, 0 for one without. */
  no_rope_layers: z.array(z.int().min(0).max(1)).nullish(),
  no_rope_layer_interval: z.int().positive().default(4),
  sliding_window: z.int().positive().nullish(),
  layer_types: z.array(z.string()).nullish(),
})

const architecture = decoder({
  name: 'smollm3',
  config,
  plan(c) {
    const hidden = c.hidden_size
    const positions = rotaryOf(c)
    const turns = (layer: number) =>
      (c.no_rope_layers?.[layer] ?? Number((layer + 1) % c.no_rope_layer_interval !== 0)) === 1
    const sliding = slidingLayers(c, (layer) => c.use_sliding_window && !turns(layer))
    return {
      ...llamaShape(c),
      norm: rmsNorm(c.rms_norm_eps),
      projections: separateProjections({ hidden, headDim: headDimOf(c), biased: c.attention_bias }),
      mlp: gatedMlp({ hidden, activation: 'silu', biased: c.mlp_bias }),
      attention: (layer) => ({
        ...(turns(layer) && { rotary: positions }),
        ...(sliding[layer] && c.sliding_window && { window: c.sliding_window }),
      }),
    }
  },
})

const gguf = llamaTable({
  architecture: 'smollm3',
  className: 'SmolLM3ForCausalLM',
  layouts: interleavedHeads,
  settled: { hidden_act: 'silu', no_rope_layer_interval: 4 },
  rules: [rotary(), attentionBias, mlpBias],
})

export const smollm3: ModelFamily = { architecture, gguf }
