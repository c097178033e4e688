/** @file SmolLM3 in GGUF: every fourth layer without positions is settled; rows of q and k are permuted as in a Llama. */
import { presence, type GgufFamily } from '../../formats/gguf/family.ts'
import { keyHeads, queryHeads, rotaryRows } from '../../formats/gguf/layouts.ts'
import { rotary } from '../../formats/gguf/rotary.ts'
import { LLAMA_NAMES, rmsEpsilon, SIZES } from './llama-shape.ts'

export const ggufSmollm3: GgufFamily = {
  architecture: 'smollm3',
  modelTypes: ['smollm3'],
  className: 'SmolLM3ForCausalLM',
  names: LLAMA_NAMES,
  layouts: { attn_q: rotaryRows(queryHeads), attn_k: rotaryRows(keyHeads) },
  settled: { hidden_act: 'silu', no_rope_layer_interval: 4 },
  rules: [
    ...SIZES,
    rmsEpsilon,
    rotary(),
    presence('attention_bias', 'model.layers.0.self_attn.q_proj.bias'),
    presence('mlp_bias', 'model.layers.0.mlp.up_proj.bias'),
  ],
}
