/** @file What a checkpoint is to the rest of the engine: named float weights, a configuration, a tokenizer, a template. */

import type { OwnGraph } from './formats/onnx/own-graph.ts'
import type { WeightIndex, WeightPlace } from './weights/storage.ts'

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
