/** @file Phi-3 in GGUF: q, k, v in one matrix, gate and up in one. llama.cpp reads the window's size and does not use it. */
import { whole, wholeOrNone, type GgufFamily, type GgufRule } from '../../formats/gguf/family.ts'
import { numberIn } from '../../formats/gguf/layouts.ts'
import { DIVISOR_TENSORS, rotary } from '../../formats/gguf/rotary.ts'
import { TRAINED } from '../../formats/gguf/scaling.ts'
import { phi3Rotary } from '../phi3.ts'
import { LLAMA_NAMES, normsBefore, rmsEpsilon, SIZES } from './llama-shape.ts'

const WINDOW = 'attention.sliding_window'

/** 0 where there is none, as in llama.cpp's own files. */
const window: GgufRule = {
  ...wholeOrNone(WINDOW, 'sliding_window'),
  write: (config) => [
    [WINDOW, { type: 'u32', value: (config['sliding_window'] as number | null | undefined) ?? 0 }],
  ],
}

export const ggufPhi3: GgufFamily = {
  architecture: 'phi3',
  modelTypes: ['phi3'],
  className: 'Phi3ForCausalLM',
  names: {
    ...LLAMA_NAMES,
    extras: DIVISOR_TENSORS.longrope,
    inside: {
      ...normsBefore,
      attn_qkv: 'self_attn.qkv_proj',
      attn_output: 'self_attn.o_proj',
      ffn_up: 'mlp.gate_up_proj',
      ffn_down: 'mlp.down_proj',
    },
  },
  settled: { hidden_act: 'silu' },
  rules: [
    ...SIZES,
    rmsEpsilon,
    rotary({
      share: 'partial_rotary_factor',
      divisors: ['longrope'],
      // Phi-3's config.json means longrope by it.
      lacks: 'yarn',
      of: (config) => phi3Rotary(config as Parameters<typeof phi3Rotary>[0]),
    }),
    // Phi-3's own place for it comes before that inside the scaling.
    whole(TRAINED, 'original_max_position_embeddings', (config) =>
      numberIn(config, 'max_position_embeddings'),
    ),
    window,
  ],
}
