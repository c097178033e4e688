/** @file OLMo 2 (arXiv:2501.00656): norms after each branch instead of before; q and k are each normed as a whole. */
import { z } from 'zod'
import { decoder, type DecoderPlan } from '../decoder.ts'
import {
  headDimOf,
  llamaShape,
  positive,
  rotaryOf,
  siluFields,
  type DecoderFields,
} from '../decoder-config.ts'
import type { ModelFamily } from '../family.ts'
import {
  attention,
  attentionBias,
  gatedMlp as ggufMlp,
  llamaTable,
  queryKeyNorms,
} from '../formats/gguf/llama-shape.ts'
import { rotary } from '../formats/gguf/rotary.ts'
import { gatedMlp, rmsNorm, separateProjections } from '../parts.ts'

/** Of OLMo 2 and 3. */
export const olmoFields = {
  ...siluFields,
  rms_norm_eps: positive(1e-5),
  attention_bias: z.boolean().default(false),
}

export function olmoBlocks(
  c: DecoderFields & { readonly attention_bias: boolean },
): Omit<DecoderPlan, 'attention'> {
  const hidden = c.hidden_size
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
  }
}

const architecture = decoder({
  name: 'olmo2',
  config: z.looseObject(olmoFields),
  plan(c) {
    const positions = rotaryOf(c)
    return { ...olmoBlocks(c), attention: () => ({ rotary: positions }) }
  },
})

export const olmoNames = {
  inside: {
    ...attention,
    ...queryKeyNorms,
    ...ggufMlp,
    post_attention_norm: 'post_attention_layernorm',
    post_ffw_norm: 'post_feedforward_layernorm',
  },
}

const gguf = llamaTable({
  architecture: 'olmo2',
  className: 'Olmo2ForCausalLM',
  names: olmoNames,
  rules: [rotary(), attentionBias],
})

export const olmo2: ModelFamily = { architecture, gguf }
