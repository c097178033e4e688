/** @file Phi-3 (arXiv:2404.14219): Llama with q, k, v in one matrix, gate and up in one, and optionally partial rotary positions. */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import {
  count,
  headDimOf,
  llamaShape,
  positive,
  rotaryOf,
  siluFields,
  type DecoderFields,
} from '../decoder-config.ts'
import type { ModelFamily } from '../family.ts'
import { whole, wholeOrNone, type GgufRule } from '../formats/gguf/family.ts'
import { numberIn } from '../formats/gguf/layouts.ts'
import { llamaTable, normsBefore } from '../formats/gguf/llama-shape.ts'
import { DIVISOR_TENSORS, rotary } from '../formats/gguf/rotary.ts'
import { TRAINED } from '../formats/gguf/scaling.ts'
import { fusedGatedMlp, fusedProjections, rmsNorm } from '../parts.ts'
import type { RopeScaling, RotaryConfig } from '../rotary.ts'

const config = z.looseObject({
  ...siluFields,
  rms_norm_eps: positive(1e-5),
  max_position_embeddings: count(4096),
  sliding_window: z.int().positive().nullish(),
  partial_rotary_factor: z.number().positive().max(1).nullish(),
  attention_bias: z.literal(false).default(false),
  original_max_position_embeddings: z.int().positive().default(4096),
})

/** Phi-3's first files use these names for longrope. */
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

export function phi3Rotary(found: z.infer<typeof config>): RotaryConfig {
  const c = renamed(found)
  const share = c.rope_parameters?.partial_rotary_factor ?? c.partial_rotary_factor ?? 1
  return rotaryOf(c, Math.trunc(headDimOf(c) * share))
}

const architecture = decoder({
  name: 'phi3',
  config,
  plan(c) {
    const [hidden, headDim, heads] = [c.hidden_size, headDimOf(c), c.num_attention_heads]
    const positions = phi3Rotary(c)
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
        order: 'parts',
      }),
      mlp: fusedGatedMlp({ hidden, width: c.intermediate_size, activation: 'silu' }),
      attention: () => ({
        rotary: positions,
        ...(c.sliding_window && { window: c.sliding_window }),
      }),
    }
  },
})

const WINDOW = 'attention.sliding_window'

/** 0 for no window, as llama.cpp's converter writes it. llama.cpp reads the size and does not use it. */
const window: GgufRule = {
  ...wholeOrNone(WINDOW, 'sliding_window'),
  write: (config) => [
    [WINDOW, { type: 'u32', value: (config['sliding_window'] as number | null | undefined) ?? 0 }],
  ],
}

const gguf = llamaTable({
  architecture: 'phi3',
  className: 'Phi3ForCausalLM',
  names: {
    extras: DIVISOR_TENSORS.longrope,
    inside: {
      ...normsBefore,
      attn_qkv: 'self_attn.qkv_proj',
      attn_output: 'self_attn.o_proj',
      ffn_up: 'mlp.gate_up_proj',
      ffn_down: 'mlp.down_proj',
    },
  },
  rules: [
    rotary({
      share: 'partial_rotary_factor',
      divisors: ['longrope'],
      // In Phi-3's config.json, `yarn` means longrope.
      lacks: 'yarn',
      of: (found) => phi3Rotary(found as Parameters<typeof phi3Rotary>[0]),
    }),
    // Phi-3's own setting takes precedence over the one inside the scaling.
    whole(TRAINED, 'original_max_position_embeddings', (found) =>
      numberIn(found, 'max_position_embeddings'),
    ),
    window,
  ],
})

export const phi3: ModelFamily = { architecture, gguf }
