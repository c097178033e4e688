/** @file GPT-2 in GGUF: matrices lie `[out, in]` as everywhere there. */
import { real, whole, type GgufFamily } from '../../formats/gguf/family.ts'
import { numberIn } from '../../formats/gguf/layouts.ts'
import { transposed } from '../../formats/gguf/layouts.ts'

export const ggufGpt2: GgufFamily = {
  architecture: 'gpt2',
  modelTypes: ['gpt2'],
  className: 'GPT2LMHeadModel',
  names: {
    layers: 'transformer.h',
    outside: {
      token_embd: 'transformer.wte',
      position_embd: 'transformer.wpe',
      output_norm: 'transformer.ln_f',
      output: 'lm_head',
    },
    inside: {
      attn_norm: 'ln_1',
      attn_qkv: 'attn.c_attn',
      attn_output: 'attn.c_proj',
      ffn_norm: 'ln_2',
      ffn_up: 'mlp.c_fc',
      ffn_down: 'mlp.c_proj',
    },
  },
  layouts: {
    attn_qkv: transposed,
    attn_output: transposed,
    ffn_up: transposed,
    ffn_down: transposed,
  },
  settled: { activation_function: 'gelu_new' },
  rules: [
    whole('block_count', 'n_layer'),
    whole('context_length', 'n_positions'),
    whole('embedding_length', 'n_embd'),
    whole('feed_forward_length', 'n_inner', (config) => 4 * numberIn(config, 'n_embd')),
    whole('attention.head_count', 'n_head'),
    real('attention.layer_norm_epsilon', 'layer_norm_epsilon'),
  ],
}
