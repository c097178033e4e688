/** @file A base with a fine-tune of it merged in, written as one model: a Hugging Face folder, a GGUF file, an ONNX folder. */
import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { OpenModel } from '../models/checkpoint.ts'
import { exists, type JsonObject } from '../files/read-file.ts'
import { GENAI_CONFIG, genaiConfig } from '../models/formats/onnx/genai-config.ts'
import { sourcesOf } from '../models/model-sources.ts'
import { cacheOf, type Model } from '../models/registry.ts'
import type { FolderStorage } from '../models/formats/safetensors-write.ts'
import type { GgufForm } from '../models/formats/gguf/write-gguf-model.ts'
import { writeGgufModel } from '../models/formats/gguf/write-gguf-model.ts'
import {
  storedTensors,
  tokenizerFilesOf,
  writeHfFolder,
} from '../models/formats/write-hf-folder.ts'
import { GRAPH_FILE, writeOnnxModel } from '../models/formats/onnx/write-onnx-model.ts'
import { openBase, type Base } from '../measure/base.ts'
import { openCandidate } from '../measure/candidate.ts'
import { asClassifier } from '../measure/classes.ts'
import { requireWritable } from './graph-base.ts'
import { modelPath } from '../models/model-path.ts'
import { markException } from './weights-exception.ts'
import { chooseDevice } from '../runtime/device.ts'

export const EXPORT_FORMS = {
  f32: { format: 'folder', storage: 'F32' },
  f16: { format: 'folder', storage: 'F16' },
  bf16: { format: 'folder', storage: 'BF16' },
  'gguf-f16': { format: 'gguf', storage: 'F16' },
  'gguf-q8_0': { format: 'gguf', storage: 'Q8_0' },
  'gguf-q4_1': { format: 'gguf', storage: 'Q4_1' },
  'gguf-q4_0': { format: 'gguf', storage: 'Q4_0' },
  onnx: { format: 'onnx', runsBy: 'any' },
  'ort-genai': { format: 'onnx', runsBy: 'genai' },
} as const satisfies Record<string, Form>
export type ExportForm = keyof typeof EXPORT_FORMS

type Form =
  | { readonly format: 'folder'; readonly storage: FolderStorage }
  | { readonly format: 'gguf'; readonly storage: GgufForm }
  | { readonly format: 'onnx'; readonly runsBy: 'any' | 'genai' }

type Read = (name: string) => Float32Array

interface ModelExport {
  readonly model: string
  /** An adapter or a whole fine-tune; null writes the base itself. */
  readonly candidate: string | null
  readonly form: ExportForm
  readonly output: string
  readonly shardBytes: number
  /** Why these weights should have been deleted; goes along, so that the next export asks too. */
  readonly exception: string | null
}

/** Gives what a reader should be told. Tokenizer, template and generation settings are the base's. */
export async function exportModel(task: ModelExport): Promise<readonly string[]> {
  await refuseTaken(task.output)
  const opened = await openBase(task.model, chooseDevice('cpu'), 1)
  try {
    requireWritable(opened)
    const classed = task.candidate ? await asClassifier(opened, task.candidate) : opened
    const tuned = task.candidate && (await openCandidate(classed, task.candidate, 'candidate'))
    const base = tuned ? tuned.base : opened
    if (tuned && tuned.mixture) {
      const { title } = tuned.identity
      throw new TouchstoneError('mixture.unmergeable', { path: task.candidate, title })
    }
    const read: Read = tuned
      ? (name) => tuned.weights.read(name)
      : (name) => base.weights.get(name)!
    const notes = await write(base, read, task)
    return [...(tuned ? tuned.warnings : []), ...notes]
  } finally {
    await opened.open.close()
  }
}

async function write(base: Base, read: Read, task: ModelExport): Promise<readonly string[]> {
  const { output, exception } = task
  const form: Form = EXPORT_FORMS[task.form]
  if (form.format === 'gguf') return writeGguf(base, read, task, form.storage)
  await markException(output, exception)
  if (form.format === 'onnx') await writeOnnx(base, read, task, form.runsBy)
  else await writeFolder(base, read, task, form.storage)
  return []
}

async function writeGguf(
  { model }: Base,
  read: Read,
  { model: named, candidate, output, exception }: ModelExport,
  form: GgufForm,
): Promise<readonly string[]> {
  const path = modelPath(named)
  const name = basename(candidate ?? path)
  const sources = await sourcesOf(path)
  return writeGgufModel(output, { path, sources, model, read, form, name, exception })
}

async function writeFolder(
  { model, open }: Base,
  read: Read,
  { model: named, output, shardBytes }: ModelExport,
  storage: FolderStorage,
): Promise<void> {
  const weights = storedTensors(model.weights.values(), read)
  const { config } = open.checkpoint
  const tokenizerFiles = await tokenizerFilesOf(modelPath(named))
  await writeHfFolder(output, { config, weights, tokenizerFiles, storage, shardBytes })
}

async function writeOnnx(
  { model, open }: Base,
  read: Read,
  { model: named, output }: ModelExport,
  runsBy: 'any' | 'genai',
): Promise<void> {
  const path = modelPath(named)
  const { config } = open.checkpoint
  const tokenizerFiles = await tokenizerFilesOf(path)
  const others = new Map<string, JsonObject>()
  if (runsBy === 'genai') others.set(GENAI_CONFIG, genaiConfigOf(path, model, open))
  await writeOnnxModel(output, { model, read, config, tokenizerFiles, others })
}

function genaiConfigOf(path: string, model: Model, { tokenizer }: OpenModel): JsonObject {
  const { architecture, config, weights } = model
  const [vocabSize, hiddenSize] = [...weights.values()].find(({ kind }) => kind === 'embedding')!
    .shape as [number, number]
  const { endIds, padId, startId } = tokenizer
  return genaiConfig({
    path,
    graphFile: GRAPH_FILE,
    vocabSize,
    hiddenSize,
    endIds,
    padId,
    startId,
    cache: cacheOf(model),
    maxPositions: architecture.maxPositions(config),
  })
}

/** An older file in the folder would be read in place of a new one. */
async function refuseTaken(output: string): Promise<void> {
  if (!(await exists(output))) return
  const inside = await readdir(output).catch(() => ['a file'])
  if (inside.length === 0) return
  const why = inside[0] === 'a file' ? 'there is a file of that name' : 'the folder is not empty'
  throw new TouchstoneError('output.unwritable', { path: output, why })
}
