/** @file A Llama's weights by GGUF's names and by Hugging Face's, and the order of the rows that rotary positions turn. */
import { TouchstoneError } from '../errors.ts'

export const ROTARY_FACTORS = 'rope_freqs.weight'

const OUTSIDE_LAYERS: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
}
const INSIDE_LAYERS: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
}

const turned = (names: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(Object.entries(names).map(([ggml, ours]) => [ours, ggml]))
const OUTSIDE_TURNED = turned(OUTSIDE_LAYERS)
const INSIDE_TURNED = turned(INSIDE_LAYERS)

/** Undefined for what becomes part of the configuration; an unknown name is refused, since it would change the model. */
export function hfName(path: string, name: string): string | undefined {
  if (name === ROTARY_FACTORS) return undefined
  const outside = OUTSIDE_LAYERS[name]
  if (outside !== undefined) return outside
  const [, layer, part, kind] = /^blk\.(\d{1,4})\.(\w+)\.(weight|bias)$/u.exec(name) ?? []
  const inside = part === undefined ? undefined : INSIDE_LAYERS[part]
  if (inside !== undefined) return `model.layers.${Number(layer)}.${inside}.${kind}`
  throw new TouchstoneError('checkpoint.unsupported', {
    path,
    what: 'the weight',
    found: name.slice(0, 100),
    supported: 'the weights of a Llama without experts',
  })
}

/** Undefined for a weight that a Llama has not. */
export function ggufName(name: string): string | undefined {
  const outside = OUTSIDE_TURNED.get(name)
  if (outside !== undefined) return outside
  const [, layer, part, kind] = /^model\.layers\.(\d+)\.(.+)\.(weight|bias)$/u.exec(name) ?? []
  const inside = part === undefined ? undefined : INSIDE_TURNED.get(part)
  return inside === undefined ? undefined : `blk.${layer}.${inside}.${kind}`
}

interface Heads {
  readonly num_attention_heads: number
  readonly num_key_value_heads: number
}

/** How many heads' rows are permuted in the weight `name`, in Hugging Face's spelling; undefined for none. */
export function rotaryHeads(name: string, config: Heads): number | undefined {
  if (name.includes('.q_proj.')) return config.num_attention_heads
  return name.includes('.k_proj.') ? config.num_key_value_heads : undefined
}

/**
 * GGUF stores the rows of a head's queries and keys so that the two numbers of a rotary pair are neighbours;
 * Hugging Face has the first of all pairs, then the second: row (head, half, pair) ← (head, pair, half).
 */
export function unpermuted(values: Float32Array, rows: number, heads: number): Float32Array {
  return rowsMoved(values, rows, heads, (row, from) => [row, from])
}

/** The other way: Hugging Face's order becomes GGUF's. */
export function permuted(values: Float32Array, rows: number, heads: number): Float32Array {
  return rowsMoved(values, rows, heads, (row, from) => [from, row])
}

function rowsMoved(
  values: Float32Array,
  rows: number,
  heads: number,
  direction: (hf: number, gguf: number) => [to: number, from: number],
): Float32Array {
  const width = values.length / rows
  const pairs = rows / heads / 2
  const result = new Float32Array(values.length)
  for (let row = 0; row < rows; row++) {
    const head = Math.floor(row / (2 * pairs))
    const [side, pair] = [Math.floor(row / pairs) % 2, row % pairs]
    const [to, from] = direction(row, head * 2 * pairs + 2 * pair + side)
    result.set(values.subarray(from * width, (from + 1) * width), to * width)
  }
  return result
}
