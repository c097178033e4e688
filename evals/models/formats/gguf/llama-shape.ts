/** @file What the GGUF tables of Llama-shaped families have in common. */
import type { JsonObject } from '../../../files/read-file.ts'
import { decoderFieldsOf } from './rotary.ts'
import { headDimOf } from '../../decoder-config.ts'
import { presence, real, whole, type GgufFamily, type GgufRule } from './family.ts'
import { keyHeads, numberIn, queryHeads, rotaryRows } from './layouts.ts'
import type { GgufNames } from './names.ts'

export const outsideBlocks = {
  token_embd: 'model.embed_tokens',
  output_norm: 'model.norm',
  output: 'lm_head',
} as const

export const attention = {
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
} as const

export const gatedMlp = {
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
} as const

export const queryKeyNorms = {
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
} as const

export const normsBefore = {
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
} as const

export const LLAMA_NAMES: GgufNames = {
  layers: 'model.layers',
  outside: outsideBlocks,
  inside: { ...normsBefore, ...attention, ...gatedMlp },
}

/** Default head size: hidden / heads. */
const evenHeads = (config: JsonObject) => numberIn(config, 'hidden_size') / queryHeads(config)

const SIZES: readonly GgufRule[] = [
  whole('block_count', 'num_hidden_layers'),
  whole('context_length', 'max_position_embeddings'),
  whole('embedding_length', 'hidden_size'),
  whole('feed_forward_length', 'intermediate_size'),
  whole('attention.head_count', 'num_attention_heads'),
  whole('attention.head_count_kv', 'num_key_value_heads', queryHeads),
  whole('attention.key_length', 'head_dim', evenHeads),
  // If only the key length is given, llama.cpp assumes hidden / heads for values. Value sizes that differ from key sizes
  // fail the shape checks.
  {
    keys: ['attention.value_length'],
    read: () => ({}),
    write: (config) => [
      ['attention.value_length', { type: 'u32', value: headDimOf(decoderFieldsOf(config)) }],
    ],
  },
]

const rmsEpsilon = real('attention.layer_norm_rms_epsilon', 'rms_norm_eps')

type OwnTable = Omit<GgufFamily, 'modelType' | 'names'> & {
  /** `architecture` if absent. */
  readonly modelType?: string
  readonly names?: Partial<GgufNames>
}

/** The table of a Llama-shaped family: Llama's names, sizes and SiLU, overridden or extended by the family's own. */
export const llamaTable = ({ names, rules, ...own }: OwnTable): GgufFamily => ({
  modelType: own.architecture,
  settled: { hidden_act: 'silu' },
  ...own,
  names: { ...LLAMA_NAMES, ...names },
  rules: [...SIZES, rmsEpsilon, ...rules],
})

export const attentionBias = presence('attention_bias', 'model.layers.0.self_attn.q_proj.bias')
export const mlpBias = presence('mlp_bias', 'model.layers.0.mlp.up_proj.bias')

/** Layouts of q and k whose file stores the two numbers of a rotary pair next to each other. */
export const interleavedHeads = { attn_q: rotaryRows(queryHeads), attn_k: rotaryRows(keyHeads) }
