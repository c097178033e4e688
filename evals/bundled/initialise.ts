/** @file Beginning weights of a Llama that is trained from scratch: N(0, 0.05²), less into the residual stream, norms at one. */
import type { TensorToWrite } from '../models/formats/safetensors-write.ts'
import { randomStream } from '../statistics/random.ts'

export interface LlamaShape {
  readonly vocab_size: number
  readonly hidden_size: number
  readonly intermediate_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
  readonly num_key_value_heads: number
  readonly head_dim: number
}

const DEVIATION = 0.05

/** Tied embeddings; each weight from (seed, its name) alone. Layers write into the residual stream with 1/√(2·layers) of it. */
export function initialLlama(shape: LlamaShape, seed: number): TensorToWrite[] {
  const {
    vocab_size: vocab,
    hidden_size: hidden,
    intermediate_size: wide,
    num_hidden_layers: layers,
  } = shape
  const queries = shape.num_attention_heads * shape.head_dim
  const keys = shape.num_key_value_heads * shape.head_dim
  const normal = (
    name: string,
    size: readonly [number, number],
    deviation = DEVIATION,
  ): TensorToWrite => {
    const stream = randomStream(seed, `initialise:${name}`)
    return {
      name,
      shape: size,
      data: Float32Array.from({ length: size[0] * size[1] }, () => stream.normal() * deviation),
    }
  }
  const ones = (name: string): TensorToWrite => ({
    name,
    shape: [hidden],
    data: new Float32Array(hidden).fill(1),
  })
  const residual = DEVIATION / Math.sqrt(2 * layers)
  const layer = (i: number) => {
    const prefix = `model.layers.${i}`
    return [
      ones(`${prefix}.input_layernorm.weight`),
      ones(`${prefix}.post_attention_layernorm.weight`),
      normal(`${prefix}.self_attn.q_proj.weight`, [queries, hidden]),
      normal(`${prefix}.self_attn.k_proj.weight`, [keys, hidden]),
      normal(`${prefix}.self_attn.v_proj.weight`, [keys, hidden]),
      normal(`${prefix}.self_attn.o_proj.weight`, [hidden, queries], residual),
      normal(`${prefix}.mlp.gate_proj.weight`, [wide, hidden]),
      normal(`${prefix}.mlp.up_proj.weight`, [wide, hidden]),
      normal(`${prefix}.mlp.down_proj.weight`, [hidden, wide], residual),
    ]
  }
  return [
    normal('model.embed_tokens.weight', [vocab, hidden]),
    ones('model.norm.weight'),
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
  ]
}
