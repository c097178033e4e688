/**
 * @file GPT-NeoX and Pythia (arXiv:2204.06745, 2304.01373): layer norms, attention and MLP in parallel, partial rotary
 * positions. GGUF stores q, k, v one after another instead of head by head; llama.cpp computes GELU by the tanh formula.
 */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { decoderFields, reachOf, rotaryOf } from '../decoder-config.ts'
import type { ModelFamily } from '../family.ts'
import { flag, real, whole } from '../formats/gguf/family.ts'
import { partsOfHeads } from '../formats/gguf/layouts.ts'
import { normsBefore } from '../formats/gguf/llama-shape.ts'
import { rotary } from '../formats/gguf/rotary.ts'
import { ACTIVATIONS, fusedProjections, layerNorm, plainMlp } from '../parts.ts'

const config = z.looseObject({
  ...decoderFields,
  layer_norm_eps: z.number().positive().default(1e-5),
  rope_theta: z.number().positive().optional(),
  hidden_act: z.enum(Object.keys(ACTIVATIONS) as ['gelu']).default('gelu'),
  rotary_pct: z.number().positive().max(1).default(0.25),
  rotary_emb_base: z.number().positive().default(10000),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: z.literal(true).default(true),
})

function neoxRotary(c: z.infer<typeof config>) {
  const share = c.rope_parameters?.partial_rotary_factor ?? c.rotary_pct
  const theta = c.rope_theta ?? c.rotary_emb_base
  const headDim = c.hidden_size / c.num_attention_heads
  return rotaryOf({ ...c, rope_theta: theta }, Math.trunc(headDim * share))
}

const architecture = decoder({
  name: 'gpt-neox',
  modelTypes: ['gpt_neox'],
  config,
  plan(c) {
    const [hidden, heads] = [c.hidden_size, c.num_attention_heads]
    const positions = neoxRotary(c)
    return {
      hidden,
      layers: c.num_hidden_layers,
      vocab: c.vocab_size,
      maxPositions: reachOf(c),
      names: {
        prefix: 'gpt_neox',
        embedding: 'gpt_neox.embed_in',
        layers: 'gpt_neox.layers',
        finalNorm: 'gpt_neox.final_layer_norm',
        ...(!c.tie_word_embeddings && { head: 'embed_out' }),
      },
      norm: layerNorm(c.layer_norm_eps),
      attentionNorms: { before: 'input_layernorm' },
      mlpNorms: { before: 'post_attention_layernorm' },
      parallel: c.use_parallel_residual,
      projections: fusedProjections({
        hidden,
        heads,
        input: 'attention.query_key_value',
        output: 'attention.dense',
        biased: true,
        order: 'heads',
      }),
      mlp: plainMlp({
        hidden,
        width: c.intermediate_size,
        activation: ACTIVATIONS[c.hidden_act]!,
        up: 'mlp.dense_h_to_4h',
        down: 'mlp.dense_4h_to_h',
      }),
      attention: () => ({ rotary: positions }),
    }
  },
})

export const gptNeox: ModelFamily = {
  architecture,
  gguf: {
    architecture: 'gptneox',
    modelType: 'gpt_neox',
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
        of: (found) => neoxRotary(found as Parameters<typeof neoxRotary>[0]),
      }),
    ],
  },
}
