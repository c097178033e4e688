/** @file GPT-NeoX and Pythia (arXiv:2204.06745, 2304.01373): layer norms, attention and MLP side by side, part of each head turned. */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { ACTIVATIONS, fusedProjections, layerNorm, plainMlp } from '../parts.ts'
import { decoderFields, reachOf, rotaryOf } from './decoder-config.ts'

const config = z.looseObject({
  ...decoderFields,
  layer_norm_eps: z.number().positive().default(1e-5),
  hidden_act: z.enum(Object.keys(ACTIVATIONS) as ['gelu']).default('gelu'),
  rotary_pct: z.number().positive().max(1).default(0.25),
  rotary_emb_base: z.number().positive().default(10000),
  use_parallel_residual: z.boolean().default(true),
  attention_bias: z.literal(true).default(true),
})

export const gptNeox = decoder({
  name: 'gpt-neox',
  modelTypes: ['gpt_neox'],
  config,
  plan(c) {
    const [hidden, heads] = [c.hidden_size, c.num_attention_heads]
    const headDim = hidden / heads
    const share = c.rope_parameters?.partial_rotary_factor ?? c.rotary_pct
    const rotary = rotaryOf(
      { ...c, rope_theta: c.rope_theta ?? c.rotary_emb_base },
      Math.trunc(headDim * share),
    )
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
        kvHeads: heads,
        headDim,
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
      attention: () => ({ rotary }),
    }
  },
})
