/** @file OLMo 2 in GGUF: norms after each branch. */
import { presence, type GgufFamily } from '../../formats/gguf/family.ts'
import { rotary } from '../../formats/gguf/rotary.ts'
import {
  attention,
  gatedMlp,
  LLAMA_NAMES,
  queryKeyNorms,
  rmsEpsilon,
  SIZES,
} from './llama-shape.ts'

export const ggufOlmo2: GgufFamily = {
  architecture: 'olmo2',
  modelTypes: ['olmo2'],
  className: 'Olmo2ForCausalLM',
  names: {
    ...LLAMA_NAMES,
    inside: {
      ...attention,
      ...queryKeyNorms,
      ...gatedMlp,
      post_attention_norm: 'post_attention_layernorm',
      post_ffw_norm: 'post_feedforward_layernorm',
    },
  },
  settled: { hidden_act: 'silu' },
  rules: [
    ...SIZES,
    rmsEpsilon,
    rotary(),
    presence('attention_bias', 'model.layers.0.self_attn.q_proj.bias'),
  ],
}
