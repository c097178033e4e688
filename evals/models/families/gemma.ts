/**
 * @file Gemma (arXiv:2403.08295): a Llama with scaled embeddings, norms that store w − 1, and GELU. Gemma 2 (2408.00118)
 * adds norms after each branch, capped scores and logits, and a window in every other layer; Gemma 3 (2503.19786) drops
 * the caps, norms each head of q and k, and gives five layers of six a window with its own rotary base.
 */
import { z } from 'zod'
import { decoder, type DecoderPlan } from '../decoder.ts'
import { ACTIVATIONS, gatedMlp, rmsNorm, separateProjections } from '../parts.ts'
import { checkedRotary, RopeScaling } from '../rotary.ts'
import { decoderFields, headDimOf, llamaShape, rotaryOf, slidingLayers } from './decoder-config.ts'

const activation = z.enum(Object.keys(ACTIVATIONS) as ['gelu_pytorch_tanh'])
const fields = {
  ...decoderFields,
  hidden_act: activation.nullish(),
  hidden_activation: activation.nullish(),
  attention_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
}
const alternating = {
  ...fields,
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: z.int().positive().default(4096),
  layer_types: z.array(z.string()).nullish(),
}

const gemmaConfig = z.looseObject(fields)
const gemma2Config = z.looseObject({
  ...alternating,
  attn_logit_softcapping: z.number().positive().nullish(),
  final_logit_softcapping: z.number().positive().nullish(),
})
const rope = RopeScaling.extend({ rope_theta: z.number().positive().optional() })
const gemma3Config = z.looseObject({
  ...alternating,
  rope_local_base_freq: z.number().positive().default(10000),
  sliding_window_pattern: z.int().positive().default(6),
  // transformers 5 writes one set for each kind of layer
  rope_parameters: z
    .looseObject({ full_attention: rope.optional(), sliding_attention: rope.optional() })
    .nullish(),
})

type Fields = z.infer<typeof gemmaConfig>
const FOUR_NORMS: Pick<DecoderPlan, 'attentionNorms' | 'mlpNorms'> = {
  attentionNorms: { before: 'input_layernorm', after: 'post_attention_layernorm' },
  mlpNorms: { before: 'pre_feedforward_layernorm', after: 'post_feedforward_layernorm' },
}

const normOf = (c: Fields) => rmsNorm(c.rms_norm_eps, { stored: 'w-1' })
const shared = (c: Fields) => ({
  ...llamaShape(c),
  norm: normOf(c),
  embeddingScale: Math.sqrt(c.hidden_size),
  mlp: gatedMlp({
    hidden: c.hidden_size,
    activation: ACTIVATIONS[c.hidden_activation ?? 'gelu_pytorch_tanh']!,
  }),
})
const projectionsOf = (c: Fields) => ({
  hidden: c.hidden_size,
  headDim: headDimOf(c),
  biased: c.attention_bias,
})

export const gemma = decoder({
  name: 'gemma',
  modelTypes: ['gemma'],
  config: gemmaConfig,
  plan(c) {
    const rotary = rotaryOf(c)
    return {
      ...shared(c),
      projections: separateProjections(projectionsOf(c)),
      attention: () => ({ rotary }),
    }
  },
})

export const gemma2 = decoder({
  name: 'gemma2',
  modelTypes: ['gemma2'],
  config: gemma2Config,
  plan(c) {
    const rotary = rotaryOf(c)
    const scale = c.query_pre_attn_scalar ** -0.5
    const cap = c.attn_logit_softcapping
    const sliding = slidingLayers(c, (layer) => layer % 2 === 0)
    return {
      ...shared(c),
      ...FOUR_NORMS,
      projections: separateProjections(projectionsOf(c)),
      ...(c.final_logit_softcapping && { logitCap: c.final_logit_softcapping }),
      attention: (layer) => ({
        rotary,
        scale,
        ...(cap && { softcap: cap }),
        ...(sliding[layer] && { window: c.sliding_window }),
      }),
    }
  },
})

export const gemma3 = decoder({
  name: 'gemma3',
  modelTypes: ['gemma3_text'],
  config: gemma3Config,
  plan(c) {
    const scale = c.query_pre_attn_scalar ** -0.5
    const sliding = slidingLayers(c, (layer) => (layer + 1) % c.sliding_window_pattern !== 0)
    const [far, near] = gemma3Rotaries(c)
    return {
      ...shared(c),
      ...FOUR_NORMS,
      projections: separateProjections({
        ...projectionsOf(c),
        queryKeyNorm: { over: 'head', norm: normOf(c) },
      }),
      attention: (layer) =>
        sliding[layer] ? { rotary: near, scale, window: c.sliding_window } : { rotary: far, scale },
    }
  },
})

/** Of layers that see all, and of layers that see a window. */
export function gemma3Rotaries(c: z.infer<typeof gemma3Config>) {
  const { full_attention: full, sliding_attention: sliding } = c.rope_parameters ?? {}
  const common = { rotaryDim: headDimOf(c), maxPositions: c.max_position_embeddings }
  return [
    checkedRotary({
      ...common,
      theta: full?.rope_theta ?? c.rope_theta ?? 1e6,
      scaling: full ?? c.rope_scaling ?? null,
    }),
    checkedRotary({
      ...common,
      theta: sliding?.rope_theta ?? c.rope_local_base_freq,
      scaling: sliding ?? null,
    }),
  ] as const
}
