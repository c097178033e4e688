/** @file GPT-NeoX in GGUF: rows of q, k, v stand part by part. llama.cpp computes its GELU by the tanh formula. */
import { flag, real, whole, type GgufFamily } from '../../formats/gguf/family.ts'
import { partsOfHeads } from '../../formats/gguf/layouts.ts'
import { decoderFieldsOf, rotary } from '../../formats/gguf/rotary.ts'
import { headDimOf, rotaryOf } from '../decoder-config.ts'
import { normsBefore } from './llama-shape.ts'

export const ggufGptNeox: GgufFamily = {
  architecture: 'gptneox',
  modelTypes: ['gpt_neox'],
  className: 'GPTNeoXForCausalLM',
  names: {
    layers: 'gpt_neox.layers',
    outside: {
      token_embd: 'gpt_neox.embed_in',
      output_norm: 'gpt_neox.final_layer_norm',
      output: 'embed_out',
    },
    inside: {
      ...normsBefore,
      attn_qkv: 'attention.query_key_value',
      attn_output: 'attention.dense',
      ffn_up: 'mlp.dense_h_to_4h',
      ffn_down: 'mlp.dense_4h_to_h',
    },
  },
  layouts: { attn_qkv: partsOfHeads },
  settled: { hidden_act: 'gelu' },
  rules: [
    whole('block_count', 'num_hidden_layers'),
    whole('context_length', 'max_position_embeddings'),
    whole('embedding_length', 'hidden_size'),
    whole('feed_forward_length', 'intermediate_size'),
    whole('attention.head_count', 'num_attention_heads'),
    real('attention.layer_norm_epsilon', 'layer_norm_eps'),
    flag('use_parallel_residual', 'use_parallel_residual', true),
    rotary({
      share: 'rotary_pct',
      of(config) {
        const fields = decoderFieldsOf(config)
        const share = fields.rope_parameters?.partial_rotary_factor ?? config['rotary_pct']
        const theta = fields.rope_theta ?? (config['rotary_emb_base'] as number)
        const turned = Math.trunc(headDimOf(fields) * (share as number))
        return rotaryOf({ ...fields, rope_theta: theta }, turned)
      },
    }),
  ],
}
