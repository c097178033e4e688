/** @file What a checkpoint is to the rest of the engine: named float weights, a configuration, a tokenizer, a template. */

import type { OwnGraph } from './formats/onnx/folder.ts'

export type FloatStorage = 'F32' | 'F16' | 'BF16' | 'F64'
/** ggml's blocks of 32, and its super-blocks of 256. */
type BlockStorage = 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'IQ4_NL'
type SuperBlockStorage = 'Q2_K' | 'Q3_K' | 'Q4_K' | 'Q5_K' | 'Q6_K' | 'IQ4_XS'
export type StorageType = FloatStorage | BlockStorage | SuperBlockStorage

export interface StoredWeight {
  readonly name: string
  /** As Hugging Face lays it out: `[out, in]` for linear layers, `[vocab, hidden]` for embeddings. */
  readonly shape: readonly number[]
  readonly storage: StorageType
  /** File, byte offset and byte length: checked to lie inside the file and to overlap no other weight. */
  readonly file: string
  readonly offset: number
  readonly bytes: number
}

/** Numbers of a float type that lie in a file as a graph computes with them, row-major: ONNX Runtime maps them. */
export interface WeightPlace extends Pick<StoredWeight, 'file' | 'offset' | 'bytes'> {
  readonly storage: 'F32' | 'F16' | 'BF16'
  /** Whether the path still leads to the file that was opened, unchanged. */
  isThere(): boolean
}

export type WeightIndex = ReadonlyMap<string, StoredWeight>

export interface Checkpoint {
  readonly path: string
  readonly format: 'safetensors' | 'gguf' | 'onnx'
  /** `config.json` of a Hugging Face folder; for GGUF the same keys rebuilt from its metadata. */
  readonly config: Readonly<Record<string, unknown>> & { readonly model_type: string }
  readonly weights: WeightIndex
  /** Its own forward pass, where it brings one; otherwise the configuration says which of ours it is. */
  readonly graph?: OwnGraph
  /** The weight in float32, row-major, in Hugging Face's names and row order (GGUF's q/k rows un-permuted). */
  read(name: string): Promise<Float32Array>
  /** The same, and nothing else happens until it is done. */
  readNow(name: string): Float32Array
  /** Where just these numbers lie; undefined where they must be made of what lies there. */
  place(name: string): WeightPlace | undefined
  /** sha256 of every file that weights and configuration are read from, whole: see `digestFiles`. */
  digest(): Promise<string>
  close(): Promise<void>
}

export interface Tokenizer {
  readonly digest: string
  readonly vocabSize: number
  /** Ids that end a reply (eos and end-of-turn). */
  readonly endIds: readonly number[]
  readonly padId: number
  /** What the tokenizer puts before a plain text when it is asked to add special tokens; templates bring their own. */
  readonly prefixIds?: readonly number[]
  /** The same, behind it. */
  readonly suffixIds?: readonly number[]
  /** Beginning of sequence, or its end where there is none: what a text's first token is predicted from. */
  readonly startId?: number
  /** Exactly these characters, special tokens recognised, none added. */
  encode(text: string): number[]
  /** Special tokens left out. */
  decode(ids: readonly number[]): string
}

export interface ChatTemplate {
  readonly digest: string
  /** Where it was found: `chat_template.jinja`, `chat_template.json`, `tokenizer_config.json` or `gguf`. */
  readonly source: string
  render(
    messages: readonly { role: string; content: string }[],
    options: { addGenerationPrompt: boolean },
  ): Promise<string>
}

/** A model as it is opened. Nothing is half-loaded: opening either gives all three or throws. */
export interface OpenModel {
  readonly checkpoint: Checkpoint
  readonly tokenizer: Tokenizer
  readonly template: ChatTemplate
  close(): Promise<void>
}
