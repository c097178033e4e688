/** @file Phi-3 in GGUF: q, k, v in one matrix, gate and up in one. llama.cpp reads the window's size and does not use it. */
import { wholeOrNone, type GgufFamily } from '../../gguf-family.ts'
import { decoderFieldsOf, rotary } from '../../gguf-rotary.ts'
import { headDimOf, rotaryOf } from '../decoder-config.ts'
import { LLAMA_NAMES, normsBefore, rmsEpsilon, SIZES } from './llama-shape.ts'

const SHARE = 'partial_rotary_factor'

export const ggufPhi3: GgufFamily = {
  architecture: 'phi3',
  modelTypes: ['phi3'],
  className: 'Phi3ForCausalLM',
  names: {
    ...LLAMA_NAMES,
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
      share: SHARE,
      of(config) {
        const fields = decoderFieldsOf(config)
        const share = fields.rope_parameters?.partial_rotary_factor ?? config[SHARE] ?? 1
        return rotaryOf(fields, Math.trunc(headDimOf(fields) * (share as number)))
      },
    }),
    wholeOrNone('attention.sliding_window', 'sliding_window'),
  ],
}
