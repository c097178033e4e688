/** @file The parts of a stored model: weights, tokenizer, template and licence, each read on demand. */
import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { TemplateSource } from './text/chat-template.ts'
import type { Checkpoint } from './checkpoint.ts'
import { exists, unreadable } from '../files/read-file.ts'
import { ggufAt, ggufModelsAmong, readGgufParts } from './formats/gguf/split.ts'
import { ggufTemplate, ggufTokenizer } from './formats/gguf/tokenizer.ts'
import { cardLicence, ggufLicence } from './formats/licence.ts'
import { openGguf } from './formats/gguf/open-gguf.ts'
import {
  holdsSafetensors,
  openHfCheckpoint,
  readHfTemplate,
  readHfTokenizer,
} from './formats/hf-folder.ts'
import { genaiEnds, graphIn, openOnnx } from './formats/onnx/folder.ts'
import { idList, type TokenizerSource } from './text/tokenizer.ts'

/** Each part throws its own errors. */
export interface ModelSources {
  readonly format: Checkpoint['format']
  /** Reads only headers. The caller closes it. */
  checkpoint(): Promise<Checkpoint>
  tokenizer(): Promise<TokenizerSource>
  template(): Promise<TemplateSource>
  /** From the model card or the metadata; null if not stated. */
  licence(): Promise<string | null>
}

const SUPPORTED =
  'a Hugging Face folder (config.json and .safetensors), a folder with model.onnx, a .gguf file or a folder with one GGUF model'

/** Throws if `path` is not a model, and says what it is. */
export async function sourcesOf(path: string): Promise<ModelSources> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error)
  })
  const gguf = await ggufAt(path)
  if (gguf !== undefined) return ggufSources(gguf)
  if (!found.isDirectory()) throw notAModel(path)
  const graph = (await holdsSafetensors(path)) ? undefined : await graphIn(path)
  if (graph !== undefined) return onnxSources(path, graph)
  if (await exists(join(path, 'config.json'))) return folderSources(path)
  throw notAModelFolder(path, await readdir(path))
}

const folderSources = (folder: string): ModelSources => ({
  format: 'safetensors',
  checkpoint: () => openHfCheckpoint(folder),
  tokenizer: () => readHfTokenizer(folder),
  template: () => readHfTemplate(folder),
  licence: () => cardLicence(folder),
})

const onnxSources = (folder: string, graph: string): ModelSources => ({
  ...folderSources(folder),
  format: 'onnx',
  checkpoint: () => openOnnx(folder, graph),
  async tokenizer() {
    const source = await readHfTokenizer(folder)
    const ends = source.eosIds.length > 0 ? source.eosIds : idList(await genaiEnds(folder))
    return { ...source, eosIds: ends }
  },
})

async function ggufSources(path: string): Promise<ModelSources> {
  const model = await readGgufParts(path)
  const { metadata } = model
  return {
    format: 'gguf',
    checkpoint: () => openGguf(path, model),
    tokenizer: async () => ggufTokenizer(path, metadata),
    template: async () => ggufTemplate(path, metadata),
    licence: async () => ggufLicence(metadata),
  }
}

function notAModel(path: string): TouchstoneError {
  if (/\.(bin|pt|pth|ckpt|pkl|pickle)$/iu.test(path)) {
    return new TouchstoneError('checkpoint.pickle', { path })
  }
  const found = path.endsWith('.safetensors')
    ? 'weights without their folder (give the folder)'
    : path.endsWith('.onnx')
      ? 'a graph without its folder (give the folder)'
      : `a file of type "${extname(path) || 'none'}"`
  return notSupported(path, found)
}

/** The error says what the folder is. */
function notAModelFolder(folder: string, names: readonly string[]): TouchstoneError {
  const ggufs = ggufModelsAmong(names)
  const found = names.includes('adapter_config.json')
    ? 'an adapter without its base model'
    : ggufs.length > 0
      ? `a folder with ${ggufs.slice(0, 3).join(', ')} (give the file itself)`
      : names.includes('refs') && names.includes('snapshots')
        ? 'a download cache (give one folder under snapshots)'
        : names.length === 0
          ? 'an empty folder'
          : 'a folder without config.json'
  return notSupported(folder, found)
}

const notSupported = (path: string, found: string) =>
  new TouchstoneError('checkpoint.unrecognised', { path, found, supported: SUPPORTED })
