/** @file What Hugging Face's `config.json` would say, rebuilt from a GGUF file's metadata. */
import { TouchstoneError } from '../errors.ts'
import type { Checkpoint, WeightIndex } from './checkpoint.ts'
import { malformed } from './files.ts'
import type { GgufValue } from './gguf-header.ts'

export type GgufMetadata = ReadonlyMap<string, GgufValue>
export type GgufConfig = Checkpoint['config'] & {
  readonly num_attention_heads: number
  readonly num_key_value_heads: number
}

/** `rotaryFactors` is the tensor by which Llama 3's files say how rotary frequencies are divided, `[head_dim / 2]`. */
export function ggufConfig(
  path: string,
  metadata: GgufMetadata,
  weights: WeightIndex,
  rotaryFactors?: Float32Array,
): GgufConfig {
  const read = metadataReader(path, metadata)
  checkKind(path, metadata)
  const hidden = read.whole('llama.embedding_length')
  const heads = read.whole('llama.attention.head_count')
  const kvHeads = read.whole('llama.attention.head_count_kv', heads)
  const headDim = read.whole('llama.attention.key_length', hidden / heads)
  const theta = read.real('llama.rope.freq_base', 10000)
  const embedding = weights.get('model.embed_tokens.weight')
  if (!embedding) throw malformed(path, 'no token_embd.weight', 'a language model')
  if (read.whole('llama.rope.dimension_count', headDim) !== headDim || headDim % 2 !== 0) {
    throw unsupported(path, 'a rotary embedding of part of each head', 'llama.rope.dimension_count')
  }
  const layers = read.whole('llama.block_count')
  checkLayers(path, weights, { layers, heads, kvHeads, headDim })
  const has = (name: string) => weights.has(`model.layers.0.${name}`)
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    head_dim: headDim,
    intermediate_size: read.whole('llama.feed_forward_length'),
    rms_norm_eps: shortest(read.real('llama.attention.layer_norm_rms_epsilon')),
    rope_theta: theta,
    rope_scaling: rotaryFactors
      ? llama3Scaling(path, rotaryFactors, theta, headDim)
      : simpleScaling(path, metadata, read),
    max_position_embeddings: read.whole('llama.context_length'),
    vocab_size: embedding.shape[0]!,
    tie_word_embeddings: !weights.has('lm_head.weight'),
    attention_bias: has('self_attn.q_proj.bias'),
    mlp_bias: has('mlp.up_proj.bias'),
    hidden_act: 'silu',
    bos_token_id: metadata.get('tokenizer.ggml.bos_token_id') ?? null,
    eos_token_id: metadata.get('tokenizer.ggml.eos_token_id') ?? null,
  }
}

function checkKind(path: string, metadata: GgufMetadata): void {
  const architecture = metadata.get('general.architecture')
  if (architecture !== 'llama') {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: 'the GGUF architecture',
      found: String(architecture).slice(0, 100),
      supported: 'llama',
    })
  }
  if (Number(metadata.get('llama.expert_count') ?? 0) > 0) {
    throw unsupported(path, 'a mixture of experts', 'llama.expert_count')
  }
}

const unsupported = (path: string, what: string, found: string) =>
  new TouchstoneError('checkpoint.unsupported', {
    path,
    what,
    found,
    supported: 'dense Llamas with whole-head rotary embeddings',
  })

/** Row counts by which the weights are put in order must be right before one is read. */
function checkLayers(
  path: string,
  weights: WeightIndex,
  dims: { layers: number; heads: number; kvHeads: number; headDim: number },
): void {
  for (const [name, { shape }] of weights) {
    const layer = /^model\.layers\.(\d+)\./u.exec(name)?.[1]
    if (layer !== undefined && Number(layer) >= dims.layers) {
      throw malformed(path, `"${name}"`, `${dims.layers} layers`)
    }
    const rows = name.includes('.q_proj.')
      ? dims.heads * dims.headDim
      : name.includes('.k_proj.')
        ? dims.kvHeads * dims.headDim
        : shape[0]
    if (shape[0] !== rows) throw malformed(path, `${shape[0]} rows in "${name}"`, `${rows} rows`)
  }
}

type MetadataReader = ReturnType<typeof metadataReader>

function metadataReader(path: string, metadata: GgufMetadata) {
  const number = (key: string, otherwise?: number): number => {
    const value = metadata.get(key) ?? otherwise
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
      throw malformed(path, `${key} = ${String(value).slice(0, 40)}`, 'a positive number')
    }
    return value
  }
  return {
    real: number,
    whole(key: string, otherwise?: number): number {
      const value = number(key, otherwise)
      if (!Number.isSafeInteger(value)) throw malformed(path, `${key} = ${value}`, 'a whole number')
      return value
    },
  }
}

/** The float32 9.999999747378752e-6 was written as 1e-5: the shortest decimal with the same float32. */
function shortest(value: number): number {
  const short = Number(value.toPrecision(7))
  return Math.fround(short) === Math.fround(value) ? short : value
}

function simpleScaling(path: string, metadata: GgufMetadata, read: MetadataReader) {
  const type = metadata.get('llama.rope.scaling.type') ?? 'none'
  if (type === 'none') return null
  if (type === 'linear') {
    return { rope_type: 'linear', factor: read.real('llama.rope.scaling.factor') }
  }
  throw unsupported(path, 'rotary scaling', String(type).slice(0, 40))
}

const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 }

/**
 * Llama 3's scaling from its divisors: 1 for short wavelengths, `factor` for long ones, between them
 * 1 / ((1 − s) / factor + s) with s = (8192 / wavelength − 1) / 3. Other divisors are refused.
 */
function llama3Scaling(path: string, divisors: Float32Array, theta: number, headDim: number) {
  const factor = Math.round(divisors.reduce((largest, value) => Math.max(largest, value), 1))
  const { low_freq_factor: low, high_freq_factor: high } = LLAMA3
  const span = LLAMA3.original_max_position_embeddings
  const agrees = divisors.every((found, index) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * index) / headDim)
    const smooth = Math.min(1, Math.max(0, (span / wavelength - low) / (high - low)))
    const expected = 1 / ((1 - smooth) / factor + smooth)
    return Math.abs(found - expected) <= 1e-4 * expected
  })
  if (!agrees || divisors.length !== headDim / 2) {
    throw unsupported(path, 'rotary scaling other than Llama 3’s', 'rope_freqs.weight')
  }
  return { rope_type: 'llama3', factor, ...LLAMA3 }
}
