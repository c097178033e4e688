/** @file A base with a fine-tune of it merged in, written as one model: a Hugging Face folder or a GGUF file. */
import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import { TouchstoneError } from '../errors.ts'
import { exists } from '../models/files.ts'
import { sourcesOf } from '../models/model-sources.ts'
import type { FolderStorage } from '../models/safetensors-write.ts'
import { asStored } from '../models/weight-list.ts'
import type { GgufForm } from '../models/write-gguf-model.ts'
import { writeGgufModel } from '../models/write-gguf-model.ts'
import { tokenizerFilesOf, writeHfFolder } from '../models/write-hf-folder.ts'
import { openBase, type Base } from './base.ts'
import { openCandidate } from './candidate.ts'
import { modelPath } from './model-path.ts'
import { markException } from './weights-exception.ts'
import { chooseDevice } from '../runtime/device.ts'

export const EXPORT_FORMS = {
  f32: { format: 'folder', storage: 'F32' },
  f16: { format: 'folder', storage: 'F16' },
  bf16: { format: 'folder', storage: 'BF16' },
  'gguf-f16': { format: 'gguf', storage: 'F16' },
  'gguf-q8_0': { format: 'gguf', storage: 'Q8_0' },
} as const satisfies Record<string, Form>
export type ExportForm = keyof typeof EXPORT_FORMS

type Form =
  | { readonly format: 'folder'; readonly storage: FolderStorage }
  | { readonly format: 'gguf'; readonly storage: GgufForm }

export interface ModelExport {
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
  const base = await openBase(task.model, chooseDevice('cpu'), 1)
  try {
    const tuned = task.candidate && (await openCandidate(base, task.candidate, 'candidate'))
    const read = tuned
      ? (name: string) => tuned.weights.read(name)
      : (name: string) => base.weights.get(name)!
    await write(base, read, task)
    return tuned ? tuned.warnings : []
  } finally {
    await base.open.close()
  }
}

async function write(
  base: Base,
  read: (name: string) => Float32Array,
  { model: named, candidate, form, output, shardBytes, exception }: ModelExport,
): Promise<void> {
  const path = modelPath(named)
  const { format, storage } = EXPORT_FORMS[form]
  const { model } = base
  if (format === 'gguf') {
    const name = basename(candidate ?? path)
    const sources = await sourcesOf(path)
    await writeGgufModel(output, { path, sources, model, read, form: storage, name, exception })
    return
  }
  const weights = [...model.weights.values()].map((spec) => {
    const stored = spec.transposed ? [...spec.shape].reverse() : spec.shape
    return {
      name: spec.name,
      shape: stored,
      data: async () => asStored(read(spec.name), spec).data,
    }
  })
  const { config } = base.open.checkpoint
  const tokenizerFiles = await tokenizerFilesOf(path)
  await writeHfFolder(output, { config, weights, tokenizerFiles, storage, shardBytes })
  if (exception !== null) await markException(output, exception)
}

/** An older file in the folder would be read in place of a new one. */
async function refuseTaken(output: string): Promise<void> {
  if (!(await exists(output))) return
  const inside = await readdir(output).catch(() => ['a file'])
  if (inside.length === 0) return
  const why = inside[0] === 'a file' ? 'there is a file of that name' : 'the folder is not empty'
  throw new TouchstoneError('output.unwritable', { path: output, why })
}
