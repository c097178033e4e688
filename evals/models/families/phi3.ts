/** @file Phi-3 (arXiv:2404.14219): a Llama with q, k, v in one matrix, gate and up in one, and perhaps part of each head turned. */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { fusedGatedMlp, fusedProjections, rmsNorm } from '../parts.ts'
import type { RopeScaling, RotaryConfig } from '../rotary.ts'
import {
  decoderFields,
  headDimOf,
  llamaShape,
  rotaryOf,
  type DecoderFields,
} from './decoder-config.ts'

const config = z.looseObject({
  ...decoderFields,
  rms_norm_eps: z.number().positive().default(1e-5),
  hidden_act: z.literal('silu').default('silu'),
  sliding_window: z.int().positive().nullish(),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  attention_bias: z.literal(false).default(false),
  original_max_position_embeddings: z.int().positive().default(4096),
})

/** What Phi-3's first files call longrope. */
const OLD_NAMES = ['su', 'yarn']

const named = <S extends RopeScaling>(scaling: S): S =>
  OLD_NAMES.includes(scaling.rope_type ?? scaling.type ?? '')
    ? { ...scaling, rope_type: 'longrope' }
    : scaling

const renamed = <C extends DecoderFields>(c: C): C => ({
  ...c,
  rope_parameters: c.rope_parameters && named(c.rope_parameters),
  rope_scaling: c.rope_scaling && named(c.rope_scaling),
})

/** Rotary positions of a parsed configuration. */
export function phi3Rotary(found: z.infer<typeof config>): RotaryConfig {
  const c = renamed(found)
  const share = c.rope_parameters?.partial_rotary_factor ?? c.partial_rotary_factor ?? 1
  return rotaryOf(c, Math.trunc(headDimOf(c) * share))
}

export const phi3 = decoder({
  name: 'phi3',
  modelTypes: ['phi3'],
  config,
  plan(c) {
    const [hidden, headDim, heads] = [c.hidden_size, headDimOf(c), c.num_attention_heads]
    const rotary = phi3Rotary(c)
    return {
      ...llamaShape(renamed(c)),
      norm: rmsNorm(c.rms_norm_eps),
      projections: fusedProjections({
        hidden,
        heads,
        kvHeads: c.num_key_value_heads ?? heads,
        headDim,
        input: 'self_attn.qkv_proj',
        output: 'self_attn.o_proj',
        biased: false,
        order: 'parts',
      }),
      mlp: fusedGatedMlp({ hidden, width: c.intermediate_size, activation: 'silu' }),
      attention: () => ({ rotary, ...(c.sliding_window && { window: c.sliding_window }) }),
    }
  },
})
