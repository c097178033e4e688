/** @file A random Llama in ggml's blocks as a GGUF file, written a matrix at a time: Q4_0, with the embedding, which is the head too, in Q8_0. */
import { open } from 'node:fs/promises'
import { BLOCK_FORMS, type BlockName } from '../../../evals/graph/storage/blocks.ts'
import { mulberry32 } from '../../doubles/models/tiny-checkpoint.ts'
import {
  ggufHead,
  padded,
  tinyGgufMetadata,
  type GgufField,
} from '../../doubles/models/tiny-gguf.ts'
import type { LlamaSize } from './random-model.ts'

/** float16 scales with which numbers have a standard deviation of about 0.02. */
const SCALES: Readonly<Partial<Record<BlockName, number>>> = { Q4_0: 0x1a00, Q8_0: 0x0c6c }

interface Planned {
  readonly name: string
  readonly dimensions: readonly number[]
  readonly type: number
  readonly size: number
  readonly bytes: () => Uint8Array
}

/** Matrices of one size are the same one. */
export async function writeRandomGguf(
  path: string,
  size: LlamaSize,
  blocks: BlockName = 'Q4_0',
): Promise<void> {
  const tensors = tensorsOf(size, blocks)
  const file = await open(path, 'w')
  try {
    await file.write(ggufHead(metadataOf(size), tensors))
    for (const { bytes } of tensors) await file.write(padded(bytes()))
  } finally {
    await file.close()
  }
}

function tensorsOf(size: LlamaSize, blocks: BlockName): Planned[] {
  const { hidden, heads, kvHeads, intermediate, vocab, layers } = size
  const keys = (hidden / heads) * kvHeads
  const known = new Map<string, Uint8Array>()
  const matrix = (name: string, columns: number, rows: number, kind = blocks): Planned => {
    const { ggml, numbers, bytes } = BLOCK_FORMS[kind]
    const length = ((rows * columns) / numbers) * bytes
    const key = `${kind} ${length}`
    const made = () => {
      const found = known.get(key) ?? drawn(kind, length)
      known.set(key, found)
      return found
    }
    return { name, dimensions: [columns, rows], type: ggml, size: length, bytes: made }
  }
  const norm = (name: string): Planned => ({
    ...{ name, dimensions: [hidden], type: 0, size: 4 * hidden },
    bytes: () => new Uint8Array(new Float32Array(hidden).fill(1).buffer),
  })
  return [
    matrix('token_embd.weight', hidden, vocab, 'Q8_0'),
    norm('output_norm.weight'),
    ...Array.from({ length: layers }, (_, layer) => `blk.${layer}.`).flatMap((prefix) => [
      norm(`${prefix}attn_norm.weight`),
      matrix(`${prefix}attn_q.weight`, hidden, hidden),
      matrix(`${prefix}attn_k.weight`, hidden, keys),
      matrix(`${prefix}attn_v.weight`, hidden, keys),
      matrix(`${prefix}attn_output.weight`, hidden, hidden),
      norm(`${prefix}ffn_norm.weight`),
      matrix(`${prefix}ffn_gate.weight`, hidden, intermediate),
      matrix(`${prefix}ffn_up.weight`, hidden, intermediate),
      matrix(`${prefix}ffn_down.weight`, intermediate, hidden),
    ]),
  ]
}

function drawn(kind: BlockName, length: number): Uint8Array {
  const random = mulberry32(7)
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => random() * 2 ** 32)
  const bytes = new Uint8Array(words.buffer, 0, length)
  const scale = SCALES[kind]!
  for (let block = 0; block < length; block += BLOCK_FORMS[kind].bytes)
    bytes.set([scale & 255, scale >> 8], block)
  return bytes
}

function metadataOf(size: LlamaSize): Record<string, GgufField> {
  const tiny = tinyGgufMetadata()
  const own = tiny['tokenizer.ggml.tokens'] as { readonly value: readonly string[] }
  const tokens = Array.from({ length: size.vocab }, (_, id) => own.value[id] ?? `<unused ${id}>`)
  const kinds = tokens.map((_, id) => (id < 3 ? 3 : 1))
  const whole = (value: number): GgufField => ({ type: 'u32', value })
  return {
    ...tiny,
    'llama.block_count': whole(size.layers),
    'llama.context_length': whole(8192),
    'llama.embedding_length': whole(size.hidden),
    'llama.feed_forward_length': whole(size.intermediate),
    'llama.attention.head_count': whole(size.heads),
    'llama.attention.head_count_kv': whole(size.kvHeads),
    'tokenizer.ggml.tokens': { type: 'strings', value: tokens },
    'tokenizer.ggml.token_type': { type: 'i32s', value: kinds },
  }
}
