/** @file A random Llama in memory: recognised as a checkpoint would be, without files. */
import type { StoredWeight } from '../../../evals/models/weights/storage.ts'
import { recognise, type Model } from '../../../evals/models/registry.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

export interface TinyModelOptions {
  readonly hidden: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly inner: number
  readonly vocab: number
  readonly tied: boolean
  readonly maxPositions: number
  readonly seed: number
}

const DEFAULTS: TinyModelOptions = {
  hidden: 16,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  headDim: 8,
  inner: 24,
  vocab: 32,
  tied: false,
  maxPositions: 128,
  seed: 1,
}

export interface TinyModel {
  readonly model: Model
  readonly weights: Map<string, Float32Array>
  readonly options: TinyModelOptions
}

export function tinyConfig(o: TinyModelOptions) {
  return {
    model_type: 'llama',
    hidden_size: o.hidden,
    num_hidden_layers: o.layers,
    num_attention_heads: o.heads,
    num_key_value_heads: o.kvHeads,
    head_dim: o.headDim,
    intermediate_size: o.inner,
    vocab_size: o.vocab,
    max_position_embeddings: o.maxPositions,
    tie_word_embeddings: o.tied,
    rms_norm_eps: 1e-5,
  }
}

export function tinyShapes(o: TinyModelOptions): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>([
    ['model.embed_tokens.weight', [o.vocab, o.hidden]],
    ['model.norm.weight', [o.hidden]],
  ])
  if (!o.tied) shapes.set('lm_head.weight', [o.vocab, o.hidden])
  for (let layer = 0; layer < o.layers; layer++) {
    const add = (name: string, ...shape: number[]) =>
      shapes.set(`model.layers.${layer}.${name}.weight`, shape)
    add('input_layernorm', o.hidden)
    add('post_attention_layernorm', o.hidden)
    add('self_attn.q_proj', o.heads * o.headDim, o.hidden)
    add('self_attn.k_proj', o.kvHeads * o.headDim, o.hidden)
    add('self_attn.v_proj', o.kvHeads * o.headDim, o.hidden)
    add('self_attn.o_proj', o.hidden, o.heads * o.headDim)
    add('mlp.gate_proj', o.inner, o.hidden)
    add('mlp.up_proj', o.inner, o.hidden)
    add('mlp.down_proj', o.hidden, o.inner)
  }
  return shapes
}

/** Shapes alone, as a checkpoint's index lists them. */
export const indexOf = (
  shapes: ReadonlyMap<string, readonly number[]>,
): Map<string, StoredWeight> =>
  new Map(
    [...shapes].map(([name, shape]) => [
      name,
      { name, shape, storage: 'F32', file: 'memory', offset: 0, bytes: 0 },
    ]),
  )

/** Weights N(0, (1.5/√in)²), so that attention and answers are far from uniform; norms 1 + N(0, 0.1²). */
export function tinyModel(options: Partial<TinyModelOptions> = {}): TinyModel {
  const o = { ...DEFAULTS, ...options }
  const shapes = tinyShapes(o)
  const model = recognise({ path: 'tiny', config: tinyConfig(o), weights: indexOf(shapes) })
  const weights = new Map<string, Float32Array>()
  for (const [name, shape] of shapes) {
    const stream = randomStream(o.seed, name)
    const scale = shape.length === 1 ? 0.1 : 1.5 / Math.sqrt(shape[1]!)
    const mean = shape.length === 1 ? 1 : 0
    const length = shape.reduce((a, b) => a * b, 1)
    weights.set(
      name,
      Float32Array.from({ length }, () => mean + scale * stream.normal()),
    )
  }
  return { model, weights, options: o }
}

/** `count` seeded token ids below `vocab`. */
export function randomIds(label: string, count: number, vocab: number): number[] {
  const stream = randomStream(9, label)
  return Array.from({ length: count }, () => stream.integer(vocab))
}
