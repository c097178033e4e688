/** @file Models where they lie, and the files beside them. Nothing is copied, and what is not recognised is told why. */
import { z } from 'zod'
import { call, Done, Nothing, PathText } from '../call.ts'
import { WireError } from '../wire-error.ts'

export const ModelFacts = z.object({
  architecture: z.string(),
  format: z.enum(['safetensors', 'gguf', 'onnx']),
  parameters: z.int(),
  /** On disk. */
  bytes: z.int(),
  layers: z.int(),
  storage: z.array(z.string()),
  tokenizer: z.object({ vocabulary: z.int(), digest: z.string() }),
  /** Null for an encoder, which has none. */
  template: z.object({ source: z.string(), digest: z.string(), example: z.string() }).nullable(),
  /** What an encoder's head tells apart: none where it has no head yet, null for a model that writes. */
  classes: z.array(z.string()).nullable(),
  /** As the folder or the file states it; null where it states none. */
  licence: z.string().nullable(),
  /** Bytes that a fine-tune needs, roughly. */
  memory: z.object({ lora: z.number(), full: z.number() }),
})
export type ModelFacts = z.infer<typeof ModelFacts>

/** Either facts, or the problem that says why it cannot be used. */
export const ModelEntry = z.object({
  /** What a configuration's `model` takes. */
  path: z.string(),
  name: z.string(),
  isBundled: z.boolean(),
  facts: ModelFacts.nullable(),
  problem: WireError.nullable(),
})
export type ModelEntry = z.infer<typeof ModelEntry>

export const FileEntry = z.object({
  name: z.string(),
  path: z.string(),
  kind: z.enum(['folder', 'file']),
  bytes: z.int().nullable(),
  /** What it looks like from its name and neighbours. */
  hint: z.enum(['model', 'adapter', 'gguf', 'data', 'run']).nullable(),
})
export type FileEntry = z.infer<typeof FileEntry>

const FileListing = z.object({
  path: z.string(),
  parent: z.string().nullable(),
  entries: z.array(FileEntry),
  /** A folder may hold more than are listed. */
  isCut: z.boolean(),
})

export const model = {
  /** The bundled one first, then those that were added. */
  list: call(Nothing, z.array(ModelEntry)),
  inspect: call(z.object({ path: PathText }), ModelEntry),
  /** sha256 over the weights: reads all of them. */
  digest: call(z.object({ path: PathText }), z.object({ digest: z.string(), seconds: z.number() })),
  /** Keeps the path in the list; refuses what `inspect` finds unusable with its problem. */
  add: call(z.object({ path: PathText }), ModelEntry),
  /** Forgets the path; no file is touched. */
  remove: call(z.object({ path: PathText }), Done),
}

export const file = {
  /** The user's home folder where `path` is null. Refused where the shell has a picker of its own. */
  list: call(z.object({ path: PathText.nullable().default(null) }), FileListing),
}
