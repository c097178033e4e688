/** @file Fields that Llama-shaped decoders share in config.json, and the part of the plan that they determine. */
import { z } from 'zod'
import type { DecoderPlan } from './decoder.ts'
import { checkedRotary, RopeScaling, rotaryReach, type RotaryConfig } from './rotary.ts'

const MAX_HIDDEN = 65536
const MAX_LAYERS = 1024
const MAX_HEADS = 4096
const MAX_INTERMEDIATE = 2 ** 22
const MAX_POSITIONS = 2 ** 30

/** A number that transformers' configuration class sets where config.json leaves it out. */
export const positive = (usual: number) => z.number().positive().default(usual)
export const count = (usual: number) => z.int().positive().default(usual)

export const decoderFields = {
  hidden_size: z.int().positive().max(MAX_HIDDEN),
  num_hidden_layers: z.int().positive().max(MAX_LAYERS),
  num_attention_heads: z.int().positive().max(MAX_HEADS),
  num_key_value_heads: z.int().positive().max(MAX_HEADS).nullish(),
  head_dim: z.int().positive().nullish(),
  intermediate_size: z.int().positive().max(MAX_INTERMEDIATE),
  vocab_size: z.int().positive(),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: positive(10000),
  rope_scaling: RopeScaling.nullish(),
  // transformers 5 writes rope_theta, the partial factor and the scaling in one object.
  rope_parameters: RopeScaling.extend({
    rope_theta: z.number().positive().optional(),
    partial_rotary_factor: z.number().positive().max(1).optional(),
  }).nullish(),
  max_position_embeddings: z.int().positive().max(MAX_POSITIONS).default(2048),
  original_max_position_embeddings: z.int().positive().nullish(),
  tie_word_embeddings: z.boolean().default(false),
}

/** For families whose MLP is gated by SiLU. */
export const siluFields = { ...decoderFields, hidden_act: z.literal('silu').default('silu') }

export type DecoderFields = z.infer<z.ZodObject<typeof decoderFields>>

export const headDimOf = (c: DecoderFields): number =>
  c.head_dim ?? c.hidden_size / c.num_attention_heads

const scalingOf = (c: Omit<DecoderFields, 'rope_theta'>): RopeScaling | null =>
  c.rope_parameters ?? c.rope_scaling ?? null

/** Rotary positions, from either spelling of config.json. */
export const rotaryOf = (c: DecoderFields, rotaryDim = headDimOf(c)): RotaryConfig =>
  checkedRotary({
    theta: c.rope_parameters?.rope_theta ?? c.rope_theta,
    rotaryDim,
    scaling: scalingOf(c),
    maxPositions: c.max_position_embeddings,
    trained: c.original_max_position_embeddings ?? undefined,
  })

/** Longest supported text in tokens, with scaling applied. */
export const reachOf = (c: Omit<DecoderFields, 'rope_theta'>): number =>
  rotaryReach({ scaling: scalingOf(c), maxPositions: c.max_position_embeddings })

type Common = 'hidden' | 'layers' | 'vocab' | 'maxPositions' | 'names'
type Norms = 'attentionNorms' | 'mlpNorms'

/** Sizes and names of a Llama-shaped family that norms before attention and MLP. */
export const llamaShape = (c: DecoderFields): Pick<DecoderPlan, Common | Norms> => ({
  hidden: c.hidden_size,
  layers: c.num_hidden_layers,
  vocab: c.vocab_size,
  maxPositions: reachOf(c),
  names: {
    prefix: 'model',
    embedding: 'model.embed_tokens',
    layers: 'model.layers',
    finalNorm: 'model.norm',
    ...(!c.tie_word_embeddings && { head: 'lm_head' }),
  },
  attentionNorms: { before: 'input_layernorm' },
  mlpNorms: { before: 'post_attention_layernorm' },
})

/**
 * Per layer, whether it attends to a sliding window: from `layer_types`, or by the rule `otherwise` if the file has no
 * list.
 */
export const slidingLayers = (
  c: DecoderFields & { readonly layer_types?: readonly string[] | null | undefined },
  otherwise: (layer: number) => boolean,
): readonly boolean[] =>
  Array.from({ length: c.num_hidden_layers }, (_, layer) =>
    c.layer_types ? c.layer_types[layer] === 'sliding_attention' : otherwise(layer),
  )
