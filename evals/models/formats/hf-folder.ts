/** @file Opens a Hugging Face folder in place: config.json, safetensors (one file or shards), tokenizer, template. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { nearNames } from '../../errors/names.ts'
import type { TemplateSource } from '../text/chat-template.ts'
import type { Checkpoint } from '../checkpoint.ts'
import type { StoredWeight, WeightIndex } from '../weights/storage.ts'
import type { JsonObject } from '../../files/read-file.ts'
import {
  SMALL_FILE_LIMIT,
  TOKENIZER_FILE_LIMIT,
  exists,
  malformed,
  readJson,
  readText,
} from '../../files/read-file.ts'
import { readSafetensorsIndex } from './safetensors.ts'
import { digestFiles, openFiles, placeOf, readStored } from '../weights/stored-weights.ts'
import type { TokenizerSource } from '../text/tokenizer.ts'
import { idList, specialTokens } from '../text/tokenizer.ts'

export const SINGLE_FILE = 'model.safetensors'
const CONFIG = 'config.json'
export const SHARD_INDEX = 'model.safetensors.index.json'
const TOKENIZER_CONFIG = 'tokenizer_config.json'
const PICKLE = /\.(bin|pt|pth|ckpt|pkl|pickle)$/iu

export async function openHfCheckpoint(folder: string): Promise<Checkpoint> {
  const config = await readConfig(folder)
  const weights = await indexWeights(folder)
  const shards = new Set([...weights.values()].map(({ file }) => file))
  const single = join(folder, SINGLE_FILE)
  const index = shards.has(single) ? [] : [join(folder, SHARD_INDEX)]
  const paths = [join(folder, CONFIG), ...index, ...shards]
  const files = await openFiles(paths)
  let digest: Promise<string> | undefined
  return {
    path: folder,
    format: 'safetensors',
    config,
    weights,
    read: (name) => readStored(files, findWeight(folder, weights, name)),
    place: (name) => placeOf(files, findWeight(folder, weights, name)),
    digest: () => (digest ??= digestFiles(folder, paths, files)),
    close: () => files.close(),
  }
}

export const holdsSafetensors = async (folder: string): Promise<boolean> =>
  (await exists(join(folder, SINGLE_FILE))) || exists(join(folder, SHARD_INDEX))

export function findWeight(path: string, weights: WeightIndex, name: string): StoredWeight {
  const weight = weights.get(name)
  if (weight) return weight
  const near = nearNames(name, weights.keys())
  throw new TouchstoneError('checkpoint.weight-missing', { path, name, near })
}

const configSchema = z.looseObject({ model_type: z.string().min(1).max(100) })

async function readConfig(folder: string): Promise<Checkpoint['config']> {
  const path = join(folder, CONFIG)
  const parsed = configSchema.safeParse(await readJson(path))
  if (!parsed.success) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: 'a configuration without',
      found: 'model_type',
      supported: 'the config.json that transformers writes of a language model',
    })
  }
  if (parsed.data.quantization_config !== undefined) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: 'the setting',
      found: 'quantization_config',
      supported: 'weights in F32, F16, BF16 or F64',
    })
  }
  return parsed.data
}

/** In transformers' order: single file, then shards. */
async function indexWeights(folder: string): Promise<WeightIndex> {
  if (await exists(join(folder, SINGLE_FILE))) {
    return byName((await readSafetensorsIndex(join(folder, SINGLE_FILE))).weights)
  }
  if (await exists(join(folder, SHARD_INDEX))) return readShards(folder)
  const names = await readdir(folder)
  const pickle = names.find((name) => PICKLE.test(name))
  if (pickle !== undefined) {
    throw new TouchstoneError('checkpoint.pickle', { path: join(folder, pickle) })
  }
  throw new TouchstoneError('checkpoint.unrecognised', {
    path: folder,
    found: 'config.json but no weights',
    supported: `${SINGLE_FILE} or ${SHARD_INDEX} with its shards`,
  })
}

const byName = (weights: readonly StoredWeight[]): WeightIndex =>
  new Map(weights.map((weight) => [weight.name, weight]))

const shardIndexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) })

async function readShards(folder: string): Promise<WeightIndex> {
  const indexPath = join(folder, SHARD_INDEX)
  const parsed = shardIndexSchema.safeParse(await readJson(indexPath, SMALL_FILE_LIMIT))
  if (!parsed.success) throw malformed(indexPath, 'no "weight_map" of texts', 'a shard index')
  const shardOf = new Map(Object.entries(parsed.data.weight_map))
  const shards = [...new Set(shardOf.values())].sort()
  if (shards.length === 0) throw malformed(indexPath, 'an empty "weight_map"', 'a shard index')
  for (const shard of shards) {
    // A plain name cannot leave the folder on any system.
    if (!/^[\w][\w.-]*\.safetensors$/u.test(shard)) {
      throw malformed(indexPath, `the shard "${shard}"`, 'plain names that end in .safetensors')
    }
    if (!(await exists(join(folder, shard)))) {
      throw malformed(indexPath, `the shard "${shard}", which is missing`, 'every shard beside it')
    }
  }
  const found = new Map<string, StoredWeight>()
  for (const shard of shards) {
    for (const weight of (await readSafetensorsIndex(join(folder, shard))).weights) {
      if (shardOf.get(weight.name) !== shard) {
        throw malformed(join(folder, shard), `"${weight.name}"`, 'the weights that the index names')
      }
      found.set(weight.name, weight)
    }
  }
  const missing = [...shardOf.keys()].find((name) => !found.has(name))
  if (missing !== undefined) {
    throw malformed(join(folder, shardOf.get(missing)!), `no "${missing}"`, 'what the index names')
  }
  return found
}

/** The tokenizer, and end-of-sequence ids from generation_config.json or else config.json. */
export async function readHfTokenizer(folder: string): Promise<TokenizerSource> {
  const path = join(folder, 'tokenizer.json')
  if (!(await exists(path))) {
    throw new TouchstoneError('tokenizer.unsupported', {
      path: folder,
      found: 'no tokenizer.json',
      supported: 'tokenizer.json of the tokenizers library',
    })
  }
  const generation = await readIfThere(join(folder, 'generation_config.json'))
  const config = await readIfThere(join(folder, CONFIG))
  return {
    path,
    tokenizerJson: await readJson(path, TOKENIZER_FILE_LIMIT),
    tokenizerConfig: await readIfThere(join(folder, TOKENIZER_CONFIG)),
    eosIds: idList(generation.eos_token_id ?? config.eos_token_id),
  }
}

export async function readHfTemplate(folder: string): Promise<TemplateSource> {
  const tokenizerConfig = await readIfThere(join(folder, TOKENIZER_CONFIG))
  const template = await findTemplate(folder, tokenizerConfig)
  return { path: folder, ...template, specialTokens: specialTokens(tokenizerConfig) }
}

const readIfThere = async (path: string): Promise<JsonObject> =>
  (await exists(path)) ? readJson(path) : {}

async function findTemplate(
  folder: string,
  tokenizerConfig: JsonObject,
): Promise<{ text: string; source: string }> {
  const file = join(folder, 'chat_template.jinja')
  if (await exists(file)) return { text: await readText(file), source: 'chat_template.jinja' }
  const inJson = templateText((await readIfThere(join(folder, 'chat_template.json'))).chat_template)
  if (inJson !== undefined) return { text: inJson, source: 'chat_template.json' }
  const inConfig = templateText(tokenizerConfig.chat_template)
  if (inConfig !== undefined) return { text: inConfig, source: 'tokenizer_config.json' }
  throw new TouchstoneError('template.missing', { path: folder })
}

const namedTemplates = z.array(z.looseObject({ name: z.string(), template: z.string() }))

/** A string, or the entry `default` of a list of named templates. */
function templateText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const named = namedTemplates.safeParse(value)
  return named.success ? named.data.find(({ name }) => name === 'default')?.template : undefined
}
