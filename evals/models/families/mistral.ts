/**
 * @file Mistral (arXiv:2310.06825): Llama with an optional sliding window. Mixtral (arXiv:2401.04088): Mistral whose MLP is a
 * mixture of experts. GGUF calls both `llama`; a Mixtral file has a positive `expert_count`.
 */
import { z } from 'zod'
import { decoder, type DecoderPlan } from '../decoder.ts'
import { count, headDimOf, llamaShape, positive, rotaryOf, siluFields } from '../decoder-config.ts'
import type { ModelFamily } from '../family.ts'
import { whole } from '../formats/gguf/family.ts'
import {
  attention,
  interleavedHeads,
  llamaTable,
  normsBefore,
} from '../formats/gguf/llama-shape.ts'
import { expertsMlp, gatedMlp, rmsNorm, separateProjections } from '../parts.ts'
import { llamaGguf, llamaGgufExtras, llamaGgufRotary } from './llama.ts'

const MAX_EXPERTS = 256

const mistralConfig = z.looseObject({
  ...siluFields,
  max_position_embeddings: count(131072),
  sliding_window: count(4096).nullable(),
})
const mixtralConfig = mistralConfig.extend({
  rope_theta: positive(1e6),
  sliding_window: z.int().positive().nullable().default(null),
  rms_norm_eps: z.number().positive().default(1e-5),
  num_local_experts: z.int().positive().max(MAX_EXPERTS).default(8),
  num_experts_per_tok: z.int().positive().max(MAX_EXPERTS).default(2),
})

function shared(c: z.infer<typeof mistralConfig>): Omit<DecoderPlan, 'mlp'> {
  const rotary = rotaryOf(c)
  return {
    ...llamaShape(c),
    norm: rmsNorm(c.rms_norm_eps),
    projections: separateProjections({ hidden: c.hidden_size, headDim: headDimOf(c) }),
    attention: () => ({ rotary, ...(c.sliding_window && { window: c.sliding_window }) }),
  }
}

const mistralDecoder = decoder({
  name: 'mistral',
  config: mistralConfig,
  plan: (c) => ({ ...shared(c), mlp: gatedMlp({ hidden: c.hidden_size, activation: 'silu' }) }),
})

const mixtralDecoder = decoder({
  name: 'mixtral',
  config: mixtralConfig,
  plan: (c) => ({
    ...shared(c),
    mlp: expertsMlp({
      hidden: c.hidden_size,
      activation: 'silu',
      experts: {
        count: c.num_local_experts,
        block: 'block_sparse_moe',
        gate: 'w1',
        up: 'w3',
        down: 'w2',
      },
      chosen: Math.min(c.num_experts_per_tok, c.num_local_experts),
    }),
  }),
})

const mixtralGguf = llamaTable({
  architecture: 'llama',
  isOf: (get) => Number(get('expert_count') ?? 0) > 0,
  modelType: 'mixtral',
  className: 'MixtralForCausalLM',
  names: {
    extras: llamaGgufExtras,
    inside: { ...normsBefore, ...attention, ffn_gate_inp: 'block_sparse_moe.gate' },
    experts: {
      ffn_gate_exps: 'block_sparse_moe.experts.*.w1',
      ffn_down_exps: 'block_sparse_moe.experts.*.w2',
      ffn_up_exps: 'block_sparse_moe.experts.*.w3',
    },
  },
  layouts: interleavedHeads,
  rules: [
    llamaGgufRotary,
    whole('expert_count', 'num_local_experts'),
    whole('expert_used_count', 'num_experts_per_tok'),
  ],
})

export const mistral: readonly ModelFamily[] = [
  { architecture: mistralDecoder, gguf: llamaGguf },
  { architecture: mixtralDecoder, gguf: mixtralGguf },
]
