/** @file Llama, Mistral and Mixtral in GGUF: one architecture, told apart by experts; rows of q and k are permuted. */
import type { GgufFamily } from '../../formats/gguf/family.ts'
import { presence, whole } from '../../formats/gguf/family.ts'
import { keyHeads, queryHeads, rotaryRows } from '../../formats/gguf/layouts.ts'
import { DIVISOR_TENSORS, rotary } from '../../formats/gguf/rotary.ts'
import { attention, LLAMA_NAMES, normsBefore, rmsEpsilon, SIZES } from './llama-shape.ts'

const layouts = { attn_q: rotaryRows(queryHeads), attn_k: rotaryRows(keyHeads) }
const positions = rotary({ divisors: ['llama3', 'longrope'] })
const extras = [...DIVISOR_TENSORS.llama3, ...DIVISOR_TENSORS.longrope]

export const ggufMixtral: GgufFamily = {
  architecture: 'llama',
  isOf: (get) => Number(get('expert_count') ?? 0) > 0,
  modelTypes: ['mixtral'],
  className: 'MixtralForCausalLM',
  names: {
    ...LLAMA_NAMES,
    extras,
    inside: { ...normsBefore, ...attention, ffn_gate_inp: 'block_sparse_moe.gate' },
    experts: {
      ffn_gate_exps: 'block_sparse_moe.experts.*.w1',
      ffn_down_exps: 'block_sparse_moe.experts.*.w2',
      ffn_up_exps: 'block_sparse_moe.experts.*.w3',
    },
  },
  layouts,
  settled: { hidden_act: 'silu' },
  rules: [
    ...SIZES,
    rmsEpsilon,
    positions,
    whole('expert_count', 'num_local_experts'),
    whole('expert_used_count', 'num_experts_per_tok'),
  ],
}

/** A Mistral without a window is a Llama, and is read as one. */
export const ggufLlama: GgufFamily = {
  architecture: 'llama',
  modelTypes: ['llama', 'mistral'],
  className: 'LlamaForCausalLM',
  names: { ...LLAMA_NAMES, extras },
  layouts,
  settled: { hidden_act: 'silu' },
  rules: [
    ...SIZES,
    rmsEpsilon,
    positions,
    presence('attention_bias', 'model.layers.0.self_attn.q_proj.bias'),
    presence('mlp_bias', 'model.layers.0.mlp.up_proj.bias'),
  ],
}
