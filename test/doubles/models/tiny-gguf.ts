/** @file Writes GGUF files: any metadata and tensors, and a tiny Llama with a byte-level tokenizer. */
import { CHATML, byteAlphabet, mulberry32 } from './tiny-checkpoint.ts'

export type GgufField =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'u32' | 'f32' | 'u64'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'i32s' | 'f32s'; readonly value: readonly number[] }

export interface GgufTensorToWrite {
  readonly name: string
  /** ggml's order: the row length first. */
  readonly dimensions: readonly number[]
  /** ggml's number of the storage type. */
  readonly type: number
  readonly bytes: Uint8Array
}

const TYPE_NUMBERS = {
  u32: 4,
  f32: 6,
  bool: 7,
  string: 8,
  u64: 10,
  strings: 9,
  i32s: 9,
  f32s: 9,
} as const
const ALIGNMENT = 32

const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer)
const u64 = (value: number) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer)
const f32 = (value: number) => new Uint8Array(Float32Array.of(value).buffer)
const text = (value: string) => {
  const bytes = new TextEncoder().encode(value)
  return Buffer.concat([u64(bytes.length), bytes])
}

function fieldBytes(field: GgufField): Uint8Array {
  switch (field.type) {
    case 'string':
      return text(field.value)
    case 'u32':
      return u32(field.value)
    case 'u64':
      return u64(field.value)
    case 'f32':
      return f32(field.value)
    case 'bool':
      return Uint8Array.of(field.value ? 1 : 0)
    case 'strings':
      return Buffer.concat([u32(8), u64(field.value.length), ...field.value.map(text)])
    case 'i32s':
      return Buffer.concat([u32(5), u64(field.value.length), ...field.value.map(u32)])
    case 'f32s':
      return Buffer.concat([u32(6), u64(field.value.length), ...field.value.map(f32)])
  }
}

export const padded = (bytes: Uint8Array) =>
  Buffer.concat([bytes, new Uint8Array((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)])

/** All before the tensors, each of which is then padded to the alignment. */
export function ggufHead(
  metadata: Readonly<Record<string, GgufField>>,
  tensors: readonly (Omit<GgufTensorToWrite, 'bytes'> & { readonly size: number })[],
): Buffer {
  const fields = Object.entries(metadata)
  const parts: Uint8Array[] = [Buffer.from('GGUF'), u32(3), u64(tensors.length), u64(fields.length)]
  for (const [key, field] of fields) {
    parts.push(text(key), u32(TYPE_NUMBERS[field.type]), fieldBytes(field))
  }
  let offset = 0
  for (const { name, dimensions, type, size } of tensors) {
    parts.push(text(name), u32(dimensions.length), ...dimensions.map(u64), u32(type), u64(offset))
    offset += Math.ceil(size / ALIGNMENT) * ALIGNMENT
  }
  return padded(Buffer.concat(parts))
}

export function ggufBytes(
  metadata: Readonly<Record<string, GgufField>>,
  tensors: readonly GgufTensorToWrite[],
): Buffer {
  const sized = tensors.map((tensor) => ({ ...tensor, size: tensor.bytes.length }))
  return Buffer.concat([ggufHead(metadata, sized), ...tensors.map(({ bytes }) => padded(bytes))])
}

/** ggml's number, elements and bytes of a block, and where float16 scales stand in it. */
const BLOCKS = {
  F32: { type: 0, elements: 1, bytes: 4, halves: [] },
  F16: { type: 1, elements: 1, bytes: 2, halves: [0] },
  Q4_0: { type: 2, elements: 32, bytes: 18, halves: [0] },
  Q4_1: { type: 3, elements: 32, bytes: 20, halves: [0, 2] },
  Q8_0: { type: 8, elements: 32, bytes: 34, halves: [0] },
  Q4_K: { type: 12, elements: 256, bytes: 144, halves: [0, 2] },
  Q6_K: { type: 14, elements: 256, bytes: 210, halves: [208] },
  BF16: { type: 30, elements: 1, bytes: 2, halves: [] },
} as const
type BlockName = keyof typeof BLOCKS

/** Random blocks with finite scales. */
function randomBlocks(storage: BlockName, elements: number, random: () => number): Uint8Array {
  const { elements: perBlock, bytes, halves } = BLOCKS[storage]
  const blocks = elements / perBlock
  if (storage === 'F32') {
    const values = Float32Array.from({ length: elements }, () => random() - 0.5)
    return new Uint8Array(values.buffer)
  }
  const result = Uint8Array.from({ length: blocks * bytes }, () => Math.floor(random() * 256))
  for (let block = 0; block < blocks; block++) {
    // Exponents of 0.01 or so: no infinity, no NaN.
    for (const half of halves) result[block * bytes + half + 1] = 0x20 | (random() < 0.5 ? 0x80 : 0)
    if (storage === 'BF16') result[block * bytes + 1] = 0x3c
  }
  return result
}

const SPECIAL = ['<unk>', '<|im_start|>', '<|im_end|>']

const MERGES = ['Ġ t', 'h e', 'Ġt he', 'o o', 'p oo', 'poo l', '1 2']

export const TINY_GGUF = { hidden: 256, layers: 1, heads: 4, kvHeads: 2, inner: 256 }

export function tinyGgufMetadata(): Record<string, GgufField> {
  const tokens = [...SPECIAL, ...byteAlphabet(), ...MERGES.map((merge) => merge.replace(' ', ''))]
  return {
    'general.architecture': { type: 'string', value: 'llama' },
    'llama.block_count': { type: 'u32', value: TINY_GGUF.layers },
    'llama.context_length': { type: 'u32', value: 128 },
    'llama.embedding_length': { type: 'u32', value: TINY_GGUF.hidden },
    'llama.feed_forward_length': { type: 'u32', value: TINY_GGUF.inner },
    'llama.attention.head_count': { type: 'u32', value: TINY_GGUF.heads },
    'llama.attention.head_count_kv': { type: 'u32', value: TINY_GGUF.kvHeads },
    'llama.attention.layer_norm_rms_epsilon': { type: 'f32', value: 1e-5 },
    'llama.rope.freq_base': { type: 'f32', value: 10000 },
    'tokenizer.ggml.model': { type: 'string', value: 'gpt2' },
    'tokenizer.ggml.pre': { type: 'string', value: 'smollm' },
    'tokenizer.ggml.tokens': { type: 'strings', value: tokens },
    'tokenizer.ggml.token_type': { type: 'i32s', value: tokens.map((_, id) => (id < 3 ? 3 : 1)) },
    'tokenizer.ggml.merges': { type: 'strings', value: MERGES },
    'tokenizer.ggml.bos_token_id': { type: 'u32', value: 1 },
    'tokenizer.ggml.eos_token_id': { type: 'u32', value: 2 },
    'tokenizer.chat_template': { type: 'string', value: CHATML },
  }
}

/** One layer whose weights take every storage type in turn. */
export function tinyGgufTensors(seed = 1): GgufTensorToWrite[] {
  const random = mulberry32(seed)
  const { hidden, heads, kvHeads, inner } = TINY_GGUF
  const kv = (hidden / heads) * kvHeads
  const vocab = SPECIAL.length + 256 + MERGES.length
  const tensor = (name: string, storage: BlockName, ...dimensions: number[]) => ({
    name,
    dimensions,
    type: BLOCKS[storage].type,
    bytes: randomBlocks(
      storage,
      dimensions.reduce((a, b) => a * b, 1),
      random,
    ),
  })
  return [
    tensor('token_embd.weight', 'Q8_0', hidden, vocab),
    tensor('blk.0.attn_norm.weight', 'F32', hidden),
    tensor('blk.0.attn_q.weight', 'Q4_K', hidden, hidden),
    tensor('blk.0.attn_k.weight', 'Q4_1', hidden, kv),
    tensor('blk.0.attn_v.weight', 'Q6_K', hidden, kv),
    tensor('blk.0.attn_output.weight', 'Q4_0', hidden, hidden),
    tensor('blk.0.ffn_norm.weight', 'F32', hidden),
    tensor('blk.0.ffn_gate.weight', 'F16', hidden, inner),
    tensor('blk.0.ffn_up.weight', 'BF16', hidden, inner),
    tensor('blk.0.ffn_down.weight', 'Q4_0', inner, hidden),
    tensor('output_norm.weight', 'F32', hidden),
  ]
}
