/** @file Random weights and a random adapter as folders that both engines read, so that both compute the same numbers. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lora } from '../../../evals/finetune/methods/lora.ts'
import { writePeftFolder, type PeftTensor } from '../../../evals/models/formats/peft-folder.ts'
import {
  writeSafetensors,
  type FolderStorage,
  type TensorToWrite,
} from '../../../evals/models/formats/safetensors-write.ts'
import { recognise, type Model } from '../../../evals/models/registry.ts'
import { quantise, dequantise } from '../../../evals/models/weights/small-weights.ts'
import { mulberry32 } from '../../doubles/models/tiny-checkpoint.ts'
import { FULL_SIZE_LAYERS, LORA } from './works.ts'

export interface LlamaSize {
  readonly hidden: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly intermediate: number
  readonly vocab: number
}

export const SMOLLM2_135M: LlamaSize = {
  hidden: 576,
  layers: FULL_SIZE_LAYERS,
  heads: 9,
  kvHeads: 3,
  intermediate: 1536,
  vocab: 49152,
}

/** 1.54 billion parameters. */
export const LLAMA_1_5B: LlamaSize = {
  hidden: 1536,
  layers: 28,
  heads: 12,
  kvHeads: 2,
  intermediate: 8960,
  vocab: 151_936,
}

/** Llama 2's shape: 6.61 billion parameters, its head tied to the embedding here. */
export const LLAMA_7B: LlamaSize = {
  hidden: 4096,
  layers: 32,
  heads: 32,
  kvHeads: 32,
  intermediate: 11_008,
  vocab: 32_000,
}

/** What a folder needs beside its weights to be talked to. */
export const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
]

/** A new Llama's spread in transformers. */
const WEIGHT_SD = 0.02

/** What is computed with where the matrix is kept as int8 with a scale a row. */
export const roundedToInt8 = (matrix: Float32Array, rows: number): Float32Array =>
  dequantise(quantise(matrix, rows, 'int8'))

/** The model without its weights. */
export function shapesOnly(size: LlamaSize): Model {
  const nowhere = { storage: 'BF16', file: '', offset: 0, bytes: 0 } as const
  const weights = new Map(
    shapesOf(size).map(([name, shape]) => [name, { name, shape, ...nowhere }]),
  )
  return recognise({ path: '', config: configOf(size), weights })
}

type Drawn = (length: number, seed: number) => Float32Array

/** The first matrix drawn of a size is every one of that size, so that billions of numbers are written without being drawn. */
export function alike(): Drawn {
  const known = new Map<number, Float32Array>()
  return (length, seed) => {
    const found = known.get(length) ?? usual(length, seed)
    known.set(length, found)
    return found
  }
}

/** Writes `config.json` and the weights: matrices uniform with standard deviation 0.02, norms at one, head and embedding tied. */
export async function writeRandomModel(
  folder: string,
  size: LlamaSize,
  seed: number,
  storage: FolderStorage = 'F32',
  made: (matrix: Float32Array, rows: number) => Float32Array = (matrix) => matrix,
  drawn: Drawn = usual,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(configOf(size), null, 2)}\n`)
  const matrix = matrixAs(made, drawn)
  const tensors = shapesOf(size).map(([name, shape]) =>
    shape.length === 1 ? ones(name, shape[0]) : matrix(name, shape),
  )
  await writeSafetensors(
    join(folder, 'model.safetensors'),
    tensors.map((make, i) => ({ ...make(seed + i), storage })),
    { format: 'pt' },
  )
}

/** Writes a PEFT folder whose B is not zero, so that the first loss already depends on the adapter. */
export async function writeRandomAdapter(
  folder: string,
  base: string,
  size: LlamaSize,
  seed: number,
): Promise<void> {
  const { targetModules } = lora.config.parse(LORA)
  const tensors = new Map<string, PeftTensor>()
  for (const prefix of layersOf(size)) {
    for (const [name, [outFeatures, inFeatures]] of linears(size)) {
      const [A, B]: [number, number][] = [
        [LORA.rank, inFeatures],
        [outFeatures, LORA.rank],
      ]
      const draw = (shape: readonly [number, number]) => ({
        shape,
        data: uniform(shape[0] * shape[1], WEIGHT_SD, seed + tensors.size),
      })
      tensors.set(`${prefix}.${name}.lora_A.weight`, draw(A!))
      tensors.set(`${prefix}.${name}.lora_B.weight`, draw(B!))
    }
  }
  await writePeftFolder(folder, { config: { base, ...LORA, targetModules }, tensors })
}

export const configOf = (size: LlamaSize) => ({
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_size: size.hidden,
  num_hidden_layers: size.layers,
  num_attention_heads: size.heads,
  num_key_value_heads: size.kvHeads,
  intermediate_size: size.intermediate,
  vocab_size: size.vocab,
  max_position_embeddings: 8192,
  rms_norm_eps: 1e-5,
  rope_parameters: { rope_type: 'default', rope_theta: 100000 },
  tie_word_embeddings: true,
  // Nothing ends a reply early.
  bos_token_id: null,
  eos_token_id: null,
  pad_token_id: null,
  dtype: 'float32',
})

type Shape = readonly [number] | readonly [number, number]

const shapesOf = (size: LlamaSize): (readonly [string, Shape])[] => [
  ['model.embed_tokens.weight', [size.vocab, size.hidden]],
  ['model.norm.weight', [size.hidden]],
  ...layersOf(size).flatMap((prefix): (readonly [string, Shape])[] => [
    [`${prefix}.input_layernorm.weight`, [size.hidden]],
    [`${prefix}.post_attention_layernorm.weight`, [size.hidden]],
    ...linears(size).map(([name, shape]) => [`${prefix}.${name}.weight`, shape] as const),
  ]),
]

const layersOf = ({ layers }: LlamaSize): string[] =>
  Array.from({ length: layers }, (_, layer) => `model.layers.${layer}`)

function linears(size: LlamaSize): [string, [outFeatures: number, inFeatures: number]][] {
  const { hidden, intermediate, heads, kvHeads } = size
  const keys = (hidden / heads) * kvHeads
  return [
    ['self_attn.q_proj', [hidden, hidden]],
    ['self_attn.k_proj', [keys, hidden]],
    ['self_attn.v_proj', [keys, hidden]],
    ['self_attn.o_proj', [hidden, hidden]],
    ['mlp.gate_proj', [intermediate, hidden]],
    ['mlp.up_proj', [intermediate, hidden]],
    ['mlp.down_proj', [hidden, intermediate]],
  ]
}

// Drawn when written, so that only one tensor at a time is in memory.
const matrixAs =
  (made: (matrix: Float32Array, rows: number) => Float32Array, drawn: Drawn) =>
  (name: string, shape: readonly [number, number]) =>
  (seed: number): TensorToWrite => ({
    name,
    shape,
    data: () => made(drawn(shape[0] * shape[1], seed), shape[0]),
  })

const ones = (name: string, length: number) => (): TensorToWrite => ({
  name,
  shape: [length],
  data: new Float32Array(length).fill(1),
})

const usual: Drawn = (length, seed) => uniform(length, WEIGHT_SD, seed)

function uniform(length: number, sd: number, seed: number): Float32Array {
  const random = mulberry32(seed)
  const width = 2 * Math.sqrt(3) * sd
  const data = new Float32Array(length)
  for (let i = 0; i < length; i++) data[i] = (random() - 0.5) * width
  return data
}
