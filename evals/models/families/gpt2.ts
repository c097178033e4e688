/** @file GPT-2 (Radford et al. 2019): learned positions, layer norms, q, k, v in one matrix, stored `[in, out]`; GGUF has `[out, in]`. */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import type { ModelFamily } from '../family.ts'
import { real, whole } from '../formats/gguf/family.ts'
import { numberIn, transposed } from '../formats/gguf/layouts.ts'
import { ACTIVATIONS, fusedProjections, layerNorm, plainMlp } from '../parts.ts'

const config = z.looseObject({
  n_embd: z.int().positive().max(65536),
  n_layer: z.int().positive().max(1024),
  n_head: z.int().positive().max(4096),
  n_inner: z.int().positive().nullish(),
  n_positions: z.int().positive().default(1024),
  vocab_size: z.int().positive(),
  layer_norm_epsilon: z.number().positive().default(1e-5),
  activation_function: z.enum(Object.keys(ACTIVATIONS) as ['gelu_new']).default('gelu_new'),
  tie_word_embeddings: z.boolean().default(true),
  scale_attn_weights: z.literal(true).default(true),
  scale_attn_by_inverse_layer_idx: z.literal(false).default(false),
  add_cross_attention: z.literal(false).default(false),
})

const architecture = decoder({
  name: 'gpt2',
  config,
  plan(c) {
    const [hidden, heads] = [c.n_embd, c.n_head]
    return {
      hidden,
      layers: c.n_layer,
      vocab: c.vocab_size,
      maxPositions: c.n_positions,
      names: {
        prefix: 'transformer',
        embedding: 'transformer.wte',
        positions: 'transformer.wpe',
        layers: 'transformer.h',
        finalNorm: 'transformer.ln_f',
        ...(!c.tie_word_embeddings && { head: 'lm_head' }),
      },
      norm: layerNorm(c.layer_norm_epsilon),
      attentionNorms: { before: 'ln_1' },
      mlpNorms: { before: 'ln_2' },
      projections: fusedProjections({
        hidden,
        heads,
        input: 'attn.c_attn',
        output: 'attn.c_proj',
        biased: true,
        transposed: true,
        order: 'parts',
      }),
      mlp: plainMlp({
        hidden,
        width: c.n_inner ?? 4 * hidden,
        activation: ACTIVATIONS[c.activation_function]!,
        up: 'mlp.c_fc',
        down: 'mlp.c_proj',
        transposed: true,
      }),
      attention: () => ({}),
    }
  },
})

export const gpt2: ModelFamily = {
  architecture,
  gguf: {
    architecture: 'gpt2',
    modelType: 'gpt2',
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
  },
}
