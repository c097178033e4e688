/**
 * @file Qwen3-MoE (arXiv:2505.09388): Qwen3 in which the MLP of some or all layers is a mixture of experts. GGUF knows only models
 * that mix in every layer and norm the chosen shares.
 */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { count, headDimOf, llamaShape, rotaryOf, siluFields } from '../decoder-config.ts'
import type { ModelFamily } from '../family.ts'
import { whole, type GgufRule } from '../formats/gguf/family.ts'
import { attention, llamaTable, normsBefore, queryKeyNorms } from '../formats/gguf/llama-shape.ts'
import { rotary } from '../formats/gguf/rotary.ts'
import { unwritable } from '../formats/gguf/scaling.ts'
import { eitherMlp, expertsMlp, gatedMlp, rmsNorm, separateProjections } from '../parts.ts'

const MAX_EXPERTS = 1024
const experts = z.int().positive().max(MAX_EXPERTS)

const config = z.looseObject({
  ...siluFields,
  max_position_embeddings: count(32768),
  attention_bias: z.boolean().default(false),
  use_sliding_window: z.boolean().default(false),
  sliding_window: count(4096).nullable(),
  decoder_sparse_step: z.int().positive().default(1),
  mlp_only_layers: z.array(z.int().nonnegative()).nullish(),
  moe_intermediate_size: count(768),
  /** transformers 5 writes the second name. */
  num_experts: experts.nullish(),
  num_local_experts: experts.default(128),
  num_experts_per_tok: experts.default(8),
  norm_topk_prob: z.boolean().default(false),
})

const architecture = decoder({
  name: 'qwen3_moe',
  config,
  plan(c) {
    const hidden = c.hidden_size
    const positions = rotaryOf(c)
    const norm = rmsNorm(c.rms_norm_eps)
    const all = c.num_experts ?? c.num_local_experts
    const names = { block: 'mlp', gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }
    const isSparse = (layer: number) =>
      !c.mlp_only_layers?.includes(layer) && (layer + 1) % c.decoder_sparse_step === 0
    const mixture = expertsMlp({
      hidden,
      activation: 'silu',
      experts: { count: all, ...names },
      chosen: Math.min(c.num_experts_per_tok, all),
      normed: c.norm_topk_prob,
    })
    return {
      ...llamaShape(c),
      norm,
      projections: separateProjections({
        hidden,
        headDim: headDimOf(c),
        biased: c.attention_bias,
        queryKeyNorm: { over: 'head', norm },
      }),
      mlp: eitherMlp(isSparse, mixture, gatedMlp({ hidden, activation: 'silu' })),
      attention: () => ({
        rotary: positions,
        ...(c.use_sliding_window && c.sliding_window && { window: c.sliding_window }),
      }),
    }
  },
})

const ALIKE = 'models that mix in every layer and norm the chosen shares, as llama.cpp computes'

/** What every file of this architecture is. */
const alwaysMixed: GgufRule = {
  keys: [],
  read: () => ({ norm_topk_prob: true }),
  write(found, path) {
    const c = found as z.infer<typeof config>
    if (!c.norm_topk_prob) throw unwritable(path, 'norm_topk_prob: false', ALIKE)
    if (c.mlp_only_layers?.length || c.decoder_sparse_step !== 1)
      throw unwritable(path, 'layers without experts', ALIKE)
    return []
  },
}

const gguf = llamaTable({
  architecture: 'qwen3moe',
  modelType: 'qwen3_moe',
  className: 'Qwen3MoeForCausalLM',
  names: {
    inside: { ...normsBefore, ...attention, ...queryKeyNorms, ffn_gate_inp: 'mlp.gate' },
    experts: {
      ffn_gate_exps: 'mlp.experts.*.gate_proj',
      ffn_up_exps: 'mlp.experts.*.up_proj',
      ffn_down_exps: 'mlp.experts.*.down_proj',
    },
  },
  rules: [
    rotary(),
    whole('expert_feed_forward_length', 'moe_intermediate_size'),
    whole('expert_used_count', 'num_experts_per_tok'),
    {
      keys: ['expert_count'],
      read: (file) => ({ num_experts: file.whole('expert_count') }),
      write: ({ num_experts: own, num_local_experts: other }) => [
        ['expert_count', { type: 'u32', value: Number(own ?? other) }],
      ],
    },
    alwaysMixed,
  ],
})

export const qwen3Moe: ModelFamily = { architecture, gguf }
