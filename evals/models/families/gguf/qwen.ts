/** @file Qwen2 and Qwen3 in GGUF. */
import { presence, type GgufFamily } from '../../formats/gguf/family.ts'
import { rotary } from '../../formats/gguf/rotary.ts'
import { LLAMA_NAMES, queryKeyNorms, rmsEpsilon, SIZES } from './llama-shape.ts'

const rules = [...SIZES, rmsEpsilon, rotary()]

export const ggufQwen2: GgufFamily = {
  architecture: 'qwen2',
  modelTypes: ['qwen2'],
  className: 'Qwen2ForCausalLM',
  names: LLAMA_NAMES,
  settled: { hidden_act: 'silu' },
  rules,
}

export const ggufQwen3: GgufFamily = {
  architecture: 'qwen3',
  modelTypes: ['qwen3'],
  className: 'Qwen3ForCausalLM',
  names: { ...LLAMA_NAMES, inside: { ...LLAMA_NAMES.inside, ...queryKeyNorms } },
  settled: { hidden_act: 'silu' },
  rules: [...rules, presence('attention_bias', 'model.layers.0.self_attn.q_proj.bias')],
}
