/** @file Writes a whole model as a Hugging Face folder: float32 safetensors, configuration, tokenizer and template. */
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from './files.ts'
import { exists, parseJsonObject, readText, TOKENIZER_FILE_LIMIT } from './files.ts'
import { readGgufHeader } from './gguf-header.ts'
import { ggufTemplate, ggufTokenizer } from './gguf-tokenizer.ts'
import { SINGLE_FILE } from './hf-folder.ts'
import type { TensorToWrite } from './safetensors-write.ts'
import { writeAtomically, writeSafetensors } from './safetensors-write.ts'

/** File name → text. */
export type TokenizerFiles = ReadonlyMap<string, string>

const COPIED = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'generation_config.json',
  'chat_template.jinja',
  'chat_template.json',
]

/** What of the model at `source` (a folder or a GGUF file) is about text, as a Hugging Face folder has it. */
export async function tokenizerFilesOf(source: string): Promise<TokenizerFiles> {
  return (await stat(source)).isDirectory() ? copiedFiles(source) : rebuiltFiles(source)
}

async function copiedFiles(folder: string): Promise<TokenizerFiles> {
  const files = new Map<string, string>()
  for (const name of COPIED) {
    const path = join(folder, name)
    if (await exists(path)) files.set(name, await readText(path, TOKENIZER_FILE_LIMIT))
  }
  return files
}

async function rebuiltFiles(path: string): Promise<TokenizerFiles> {
  const { metadata } = await readGgufHeader(path)
  const { tokenizerJson, tokenizerConfig, eosIds } = ggufTokenizer(path, metadata)
  return new Map([
    ['tokenizer.json', toJson(tokenizerJson)],
    [
      'tokenizer_config.json',
      toJson({
        ...tokenizerConfig,
        tokenizer_class: 'PreTrainedTokenizerFast',
        clean_up_tokenization_spaces: false,
      }),
    ],
    ['generation_config.json', toJson({ eos_token_id: eosIds })],
    ['chat_template.jinja', ggufTemplate(path, metadata).text],
  ])
}

export interface ModelToWrite {
  readonly config: JsonObject
  readonly weights: readonly TensorToWrite[]
  readonly tokenizerFiles: TokenizerFiles
}

/** Weights are written one after another, so the whole model is never in memory; the configuration comes last. */
export async function writeHfFolder(folder: string, model: ModelToWrite): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeSafetensors(join(folder, SINGLE_FILE), model.weights, { format: 'pt' })
  for (const [name, text] of model.tokenizerFiles) {
    if (!COPIED.includes(name)) throw new Error(`internal: ${name} is not a tokenizer file`)
    if (name.endsWith('.json')) parseJsonObject(text, name)
    await writeAtomically(join(folder, name), [text])
  }
  const config = { ...model.config, torch_dtype: 'float32', dtype: 'float32' }
  await writeAtomically(join(folder, 'config.json'), [toJson(config)])
}

const toJson = (value: JsonObject): string => `${JSON.stringify(value, null, 2)}\n`
