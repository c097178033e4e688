/** @file A checkpoint as the other rooms see it: named float weights, configuration, tokenizer, chat template. */

import type { OwnGraph } from './formats/onnx/own-graph.ts'
import type { TemplateVariables } from './text/template-variables.ts'
import type { Thinking } from './text/thoughts.ts'
import type { WeightIndex, WeightPlace } from './weights/storage.ts'

export interface Checkpoint {
  readonly path: string
  readonly format: 'safetensors' | 'gguf' | 'onnx'
  /** `config.json` of a Hugging Face folder; for GGUF the same keys, rebuilt from its metadata. */
  readonly config: Readonly<Record<string, unknown>> & { readonly model_type: string }
  readonly weights: WeightIndex
  /** Its own forward pass, if it has one; otherwise `config` names an architecture. */
  readonly graph?: OwnGraph
  /** The weight in float32, row-major, with Hugging Face's names and row order. */
  read(name: string): Float32Array
  /** Location of exactly these numbers; undefined if they must be converted. */
  place(name: string): WeightPlace | undefined
  /** The bytes of a matrix in ggml's blocks, rows in the order of `read`, mapped where that is possible. */
  blocks?(name: string): Uint8Array | undefined
  /** sha256 over all files of weights and configuration: see `digestFiles`. */
  digest(): Promise<string>
  close(): Promise<void>
}

export interface Tokenizer {
  readonly digest: string
  readonly vocabSize: number
  /** Ids that end a reply (eos and end-of-turn). */
  readonly endIds: readonly number[]
  readonly padId: number
  /** Added before a plain text with `add_special_tokens`; chat templates write their own. */
  readonly prefixIds?: readonly number[]
  /** Added after it. */
  readonly suffixIds?: readonly number[]
  /** Beginning of sequence, or else end of sequence: the context of a text's first token. */
  readonly startId?: number
  /** Recognises special tokens in the text and adds none. */
  encode(text: string): number[]
  /** Omits special tokens. */
  decode(ids: readonly number[]): string
}

export interface ChatTemplate {
  readonly digest: string
  /** `chat_template.jinja`, `chat_template.json`, `tokenizer_config.json` or `gguf`. */
  readonly source: string
  /** The user's, which every rendering gets. */
  readonly variables?: TemplateVariables
  /** Whether it marks replies itself, and `render` can show the marks (jinja/marks.ts). */
  readonly marksReplies?: boolean
  /** Absent where the model does not think before it answers. */
  readonly thinking?: Thinking
  render(
    messages: readonly { role: string; content: string }[],
    options: { addGenerationPrompt: boolean; marksReplies?: boolean },
  ): Promise<string>
}

/** An open model. Opening gives all three parts or throws. */
export interface OpenModel {
  readonly checkpoint: Checkpoint
  readonly tokenizer: Tokenizer
  readonly template: ChatTemplate
  close(): Promise<void>
}
