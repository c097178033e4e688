/**
 * @file Granite 3 (IBM, 2024; transformers: GraniteForCausalLM): Llama with four fixed factors, on embeddings, scores, branches and
 * logits.
 */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { headDimOf, llamaShape, positive, rotaryOf, siluFields } from '../decoder-config.ts'
import type { ModelFamily } from '../family.ts'
import type { GgufRule } from '../formats/gguf/family.ts'
import { numberIn } from '../formats/gguf/layouts.ts'
import {
  attentionBias,
  interleavedHeads,
  llamaTable,
  mlpBias,
} from '../formats/gguf/llama-shape.ts'
import { decoderFieldsOf, rotary } from '../formats/gguf/rotary.ts'
import { gatedMlp, rmsNorm, separateProjections } from '../parts.ts'

const architecture = decoder({
  name: 'granite',
  config: z.looseObject({
    ...siluFields,
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    embedding_multiplier: positive(1),
    attention_multiplier: positive(1),
    residual_multiplier: positive(1),
    /** Logits are divided by it. */
    logits_scaling: positive(1),
  }),
  plan(c) {
    const hidden = c.hidden_size
    const positions = rotaryOf(c)
    return {
      ...llamaShape(c),
      embeddingScale: c.embedding_multiplier,
      residualScale: c.residual_multiplier,
      logitScale: 1 / c.logits_scaling,
      norm: rmsNorm(c.rms_norm_eps),
      projections: separateProjections({ hidden, headDim: headDimOf(c), biased: c.attention_bias }),
      mlp: gatedMlp({ hidden, activation: 'silu', biased: c.mlp_bias }),
      attention: () => ({ rotary: positions, scale: c.attention_multiplier }),
    }
  },
})

/** Absent or 0 in the file: `otherwise`. */
const factor = (
  key: string,
  field: string,
  otherwise: (config: Parameters<GgufRule['read']>[1]) => number = () => 1,
): GgufRule => ({
  keys: [key],
  read: (file, config) => ({
    [field]: Number(file.get(key) ?? 0) === 0 ? otherwise(config) : file.real(key),
  }),
  write: (config) => [[key, { type: 'f32', value: numberIn(config, field) }]],
})

const gguf = llamaTable({
  architecture: 'granite',
  className: 'GraniteForCausalLM',
  layouts: interleavedHeads,
  rules: [
    rotary(),
    attentionBias,
    mlpBias,
    factor('embedding_scale', 'embedding_multiplier'),
    factor('residual_scale', 'residual_multiplier'),
    factor('logit_scale', 'logits_scaling'),
    factor('attention.scale', 'attention_multiplier', (config) =>
      Math.sqrt(1 / headDimOf(decoderFieldsOf(config))),
    ),
  ],
})

export const granite: ModelFamily = { architecture, gguf }
