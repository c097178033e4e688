/** @file A random Llama of a few thousand weights as a Hugging Face folder, with a small tokenizer and chat template. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TensorToWrite } from '../../../evals/models/formats/safetensors-write.ts'
import { writeSafetensors } from '../../../evals/models/formats/safetensors-write.ts'

interface TinyLlama {
  readonly hiddenSize: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly intermediateSize: number
  readonly tieEmbeddings: boolean
  readonly tokenizer: 'word' | 'byte'
  readonly seed: number
}

const TINY_LLAMA: TinyLlama = {
  hiddenSize: 16,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  intermediateSize: 24,
  tieEmbeddings: true,
  tokenizer: 'word',
  seed: 1,
}

/** Writes the folder and returns its path; the same options give the same bytes. */
export async function writeTinyCheckpoint(
  folder: string,
  options: Partial<TinyLlama> = {},
): Promise<string> {
  const dims = { ...TINY_LLAMA, ...options }
  const tokenizer = dims.tokenizer === 'word' ? wordTokenizer() : byteTokenizer()
  const vocabSize = vocabularySize(tokenizer)
  await mkdir(folder, { recursive: true })
  const json = (name: string, value: unknown) =>
    writeFile(join(folder, name), `${JSON.stringify(value, null, 2)}\n`)
  await json('config.json', tinyConfig(dims, vocabSize))
  await json('generation_config.json', { bos_token_id: 1, eos_token_id: [2] })
  await json('tokenizer.json', tokenizer)
  await json('tokenizer_config.json', TOKENIZER_CONFIG)
  await writeFile(join(folder, 'chat_template.jinja'), CHATML)
  await writeSafetensors(join(folder, 'model.safetensors'), tinyWeights(dims, vocabSize), {
    format: 'pt',
  })
  return folder
}

const SPECIAL = ['<unk>', '<|im_start|>', '<|im_end|>', '<pad>']

const TOKENIZER_CONFIG = {
  tokenizer_class: 'PreTrainedTokenizerFast',
  bos_token: '<|im_start|>',
  eos_token: '<|im_end|>',
  unk_token: '<unk>',
  pad_token: '<pad>',
}

/** ChatML as SmolLM2 writes it, without a default system message. */
export const CHATML = `{%- for message in messages -%}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|im_start|>assistant\\n' }}
{%- endif -%}
`

const WORDS =
  "system user assistant the a is of and to in you hotel pool opens closes at room key towel spare breakfast where what how when tell me please guest desk lift floor sorry cannot help with that red blue green one two three four five six seven eight nine ten plus equals yes no . , ? ! : '" +
  ' "'

const addedTokens = SPECIAL.map((content, id) => ({
  id,
  content,
  special: true,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
}))

function wordTokenizer() {
  const words = ['\n', ...WORDS.split(' '), ...'0123456789']
  const vocab = Object.fromEntries([...SPECIAL, ...new Set(words)].map((word, id) => [word, id]))
  return {
    version: '1.0',
    added_tokens: addedTokens,
    normalizer: null,
    // Words, digits and marks alone; a line break is a token, spaces are not.
    pre_tokenizer: {
      type: 'Split',
      pattern: { Regex: '\\n|\\p{N}|\\p{L}+|[^\\s\\p{L}\\p{N}]' },
      behavior: 'Removed',
      invert: true,
    },
    post_processor: null,
    decoder: null,
    model: { type: 'WordLevel', vocab, unk_token: '<unk>' },
  }
}

/** GPT-2's printable stand-ins for the 256 bytes. */
export function byteAlphabet(): string[] {
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCodePoint(printable(byte) ? byte : next++),
  )
}

function byteTokenizer() {
  const merges = ['Ġ t', 'h e', 'Ġt he', 'i n', 'o o', 'p oo', 'poo l', 'Ġ pool', 'Ġ a']
  const merged = merges.map((merge) => merge.replace(' ', ''))
  const tokens = [...SPECIAL, ...byteAlphabet(), ...merged]
  return {
    version: '1.0',
    added_tokens: addedTokens,
    normalizer: null,
    pre_tokenizer: {
      type: 'ByteLevel',
      add_prefix_space: false,
      trim_offsets: true,
      use_regex: true,
    },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
      unk_token: null,
    },
  }
}

const vocabularySize = ({ model }: { model: { vocab: Record<string, number> } }): number =>
  Object.keys(model.vocab).length

function tinyConfig(dims: TinyLlama, vocabSize: number) {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: dims.hiddenSize,
    num_hidden_layers: dims.layers,
    num_attention_heads: dims.heads,
    num_key_value_heads: dims.kvHeads,
    head_dim: dims.hiddenSize / dims.heads,
    intermediate_size: dims.intermediateSize,
    vocab_size: vocabSize,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: dims.tieEmbeddings,
    attention_bias: false,
    mlp_bias: false,
    hidden_act: 'silu',
    bos_token_id: 1,
    eos_token_id: 2,
    pad_token_id: 3,
    torch_dtype: 'float32',
  }
}

function tinyWeights(dims: TinyLlama, vocabSize: number): TensorToWrite[] {
  const { hiddenSize: hidden, intermediateSize: inner, heads, kvHeads } = dims
  const kv = (hidden / heads) * kvHeads
  const random = mulberry32(dims.seed)
  const normal = (name: string, rows: number, columns: number): TensorToWrite => ({
    name,
    shape: [rows, columns],
    data: Float32Array.from(
      { length: rows * columns },
      () => gaussian(random) / Math.sqrt(columns),
    ),
  })
  const scale = (name: string): TensorToWrite => ({
    name,
    shape: [hidden],
    data: Float32Array.from({ length: hidden }, () => 1 + 0.1 * gaussian(random)),
  })
  const layer = (index: number): TensorToWrite[] => {
    const at = (rest: string) => `model.layers.${index}.${rest}.weight`
    return [
      scale(at('input_layernorm')),
      normal(at('self_attn.q_proj'), hidden, hidden),
      normal(at('self_attn.k_proj'), kv, hidden),
      normal(at('self_attn.v_proj'), kv, hidden),
      normal(at('self_attn.o_proj'), hidden, hidden),
      scale(at('post_attention_layernorm')),
      normal(at('mlp.gate_proj'), inner, hidden),
      normal(at('mlp.up_proj'), inner, hidden),
      normal(at('mlp.down_proj'), hidden, inner),
    ]
  }
  return [
    normal('model.embed_tokens.weight', vocabSize, hidden),
    ...Array.from({ length: dims.layers }, (_, index) => layer(index)).flat(),
    scale('model.norm.weight'),
    ...(dims.tieEmbeddings ? [] : [normal('lm_head.weight', vocabSize, hidden)]),
  ]
}

/** Box–Muller. */
const gaussian = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** A small seeded generator on [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
