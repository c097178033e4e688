/** @file Writes a whole model as a Hugging Face folder: safetensors, configuration, tokenizer, template. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../../files/read-file.ts'
import { exists, parseJsonObject, readText, TOKENIZER_FILE_LIMIT } from '../../files/read-file.ts'
import { readGgufHeader } from './gguf/header.ts'
import { cardWith, ggufLicence, isLicenceFile, licenceFilesOf } from './licence.ts'
import { ggufTemplate, ggufTokenizer } from './gguf/tokenizer.ts'
import { SHARD_INDEX, SINGLE_FILE } from './hf-folder.ts'
import type { FolderStorage, TensorToWrite } from './safetensors-write.ts'
import type { WeightSpec } from '../architecture.ts'
import { asStored } from '../weight-list.ts'
import { writeSafetensors } from './safetensors-write.ts'
import { storedBytes } from '../weights/stored-weights.ts'
import { makeFolder } from '../../files/private-file.ts'
import { writeAtomically } from '../../files/write-file.ts'

/** Weights as their checkpoint stores them, one at a time. @param read in the graph's layout */
export const storedTensors = (
  specs: Iterable<WeightSpec>,
  read: (name: string) => Float32Array,
): TensorToWrite[] =>
  [...specs].map((spec) => ({
    name: spec.name,
    shape: spec.transposed ? spec.shape.toReversed() : spec.shape,
    data: () => asStored(read(spec.name), spec).data,
  }))

/** File name → text: tokenizer, template, and the licence that goes along with them. */
export type TokenizerFiles = ReadonlyMap<string, string>

const COPIED = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'generation_config.json',
  'chat_template.jinja',
  'chat_template.json',
]

/** The text-related files of the model at `source` (a folder or a GGUF file), in Hugging Face's form. */
export async function tokenizerFilesOf(source: string): Promise<TokenizerFiles> {
  return (await stat(source)).isDirectory() ? copiedFiles(source) : rebuiltFiles(source)
}

async function copiedFiles(folder: string): Promise<TokenizerFiles> {
  const files = new Map<string, string>()
  for (const name of COPIED) {
    const path = join(folder, name)
    if (await exists(path)) files.set(name, await readText(path, TOKENIZER_FILE_LIMIT))
  }
  return new Map([...files, ...(await licenceFilesOf(folder))])
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
    ...cardWith(ggufLicence(metadata)),
  ])
}

interface ModelToWrite {
  readonly config: JsonObject
  readonly weights: readonly TensorToWrite[]
  readonly tokenizerFiles: TokenizerFiles
  /** Of every weight; F32 if absent. */
  readonly storage?: FolderStorage
  /** Most bytes per file; larger models are sharded. */
  readonly shardBytes?: number
}

const DTYPES = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const

/** Writes weights one after another, so that the model is never whole in memory, and the configuration last. */
export async function writeHfFolder(folder: string, model: ModelToWrite): Promise<void> {
  makeFolder(folder)
  const { storage = 'F32', shardBytes = Infinity } = model
  const weights = model.weights.map((weight) => ({ ...weight, storage }))
  await writeWeights(folder, shardsOf(weights, shardBytes))
  await writeTextFiles(folder, { ...model, storage })
}

/** Writes the small files of a model folder: tokenizer, template, further JSON, and the configuration last. */
export async function writeTextFiles(
  folder: string,
  {
    config,
    tokenizerFiles,
    storage,
    others = new Map(),
  }: Pick<ModelToWrite, 'config' | 'tokenizerFiles'> & {
    readonly storage: FolderStorage
    readonly others?: ReadonlyMap<string, JsonObject>
  },
): Promise<void> {
  for (const [name, text] of tokenizerFiles) {
    if (!COPIED.includes(name) && !isLicenceFile(name))
      throw new Error(`internal: ${name} is not a tokenizer file`)
    if (name.endsWith('.json')) parseJsonObject(text, name)
    await writeAtomically(join(folder, name), [text])
  }
  for (const [name, value] of others) await writeAtomically(join(folder, name), [toJson(value)])
  const dtypes = { torch_dtype: DTYPES[storage], dtype: DTYPES[storage] }
  await writeAtomically(join(folder, 'config.json'), [toJson({ ...config, ...dtypes })])
}

const bytesOf = ({ shape, storage = 'F32' }: TensorToWrite) => storedBytes(shape, storage)

/** Fills shards in the weights' order; a larger weight gets a shard of its own. */
function shardsOf(weights: readonly TensorToWrite[], most: number): TensorToWrite[][] {
  const shards: TensorToWrite[][] = []
  let room = 0
  for (const weight of weights) {
    const bytes = bytesOf(weight)
    if (shards.length === 0 || bytes > room) {
      shards.push([])
      room = most
    }
    shards.at(-1)!.push(weight)
    room -= bytes
  }
  return shards
}

/** One file, or several and then their index. */
async function writeWeights(folder: string, shards: readonly TensorToWrite[][]): Promise<void> {
  const nameOf = (shard: number) =>
    shards.length === 1
      ? SINGLE_FILE
      : `model-${padded(shard + 1)}-of-${padded(shards.length)}.safetensors`
  for (const [i, shard] of shards.entries())
    await writeSafetensors(join(folder, nameOf(i)), shard, { format: 'pt' })
  if (shards.length === 1) return
  const places = shards.flatMap((shard, i) => shard.map(({ name }) => [name, nameOf(i)] as const))
  const size = shards.flat().reduce((sum, weight) => sum + bytesOf(weight), 0)
  const index = { metadata: { total_size: size }, weight_map: Object.fromEntries(places) }
  await writeAtomically(join(folder, SHARD_INDEX), [toJson(index)])
}

const padded = (number: number): string => String(number).padStart(5, '0')

const toJson = (value: JsonObject): string => `${JSON.stringify(value, null, 2)}\n`
