/** @file Models at their paths, and a file browser. Nothing is copied; what cannot be used has its reason. */
import { z } from 'zod'
import { call, Done, Nothing, PathText } from '../call.ts'
import { Section } from '../document.ts'
import { KeyVariable, SendingReason } from '../subjects/served.ts'
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
  /** Classes of an encoder's head: empty without a head, null for a causal model. */
  classes: z.array(z.string()).nullable(),
  /** As stated by the folder or file; null if it states none. */
  licence: z.string().nullable(),
  /** Estimated peak bytes of a fine-tune. */
  memory: z.object({ lora: z.number(), full: z.number() }),
})
export type ModelFacts = z.infer<typeof ModelFacts>

/** Either facts, or the problem why it cannot be used. */
export const ModelEntry = z.object({
  /** Value for a configuration's `model`. */
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
  /** Kind guessed from its name and neighbours. */
  hint: z.enum(['model', 'adapter', 'gguf', 'data', 'run', 'case']).nullable(),
})
export type FileEntry = z.infer<typeof FileEntry>

const FileListing = z.object({
  path: z.string(),
  parent: z.string().nullable(),
  entries: z.array(FileEntry),
  /** Whether the folder has more than are listed. */
  isCut: z.boolean(),
})

/** A model that lies on this machine, as its folder says; nothing has opened it. */
export const FoundModel = z.object({
  path: z.string(),
  name: z.string(),
  format: ModelFacts.shape.format,
  /** Of its weights, on disk. */
  bytes: z.int(),
  /** Whose folder it lies in; `recent` is one where a model lies that was used before. */
  source: z.enum(['Hugging Face', 'LM Studio', 'Ollama', 'llama.cpp', 'recent']),
})
export type FoundModel = z.infer<typeof FoundModel>

export const model = {
  /** The bundled model first, then added ones. */
  list: call(Nothing, z.array(ModelEntry)),
  /** Models in the usual folders; none where the setting `findsModels` is off. `skipped` counts what could not be read. */
  found: call(Nothing, z.object({ models: z.array(FoundModel), skipped: z.int() })),
  inspect: call(z.object({ path: PathText }), ModelEntry),
  /** What answers at an address and what it can be asked; sends it a dozen harmless questions. */
  served: call(
    z.object({
      address: z.string().max(4000),
      /** As `--key-env` and `--send-prompts`. */
      keyEnv: KeyVariable.nullable().default(null),
      sendPrompts: SendingReason.nullable().default(null),
    }),
    z.object({ sections: z.array(Section) }),
  ),
  /** sha256 of the weights; reads all of them. */
  digest: call(z.object({ path: PathText }), z.object({ digest: z.string(), seconds: z.number() })),
  /** Adds the path to the list; refuses a model that `inspect` finds unusable, with its problem. */
  add: call(z.object({ path: PathText }), ModelEntry),
  /** Removes the path from the list; no file is changed. */
  remove: call(z.object({ path: PathText }), Done),
}

export const file = {
  /** The user's home folder if `path` is null. Refused if the shell has its own file picker. */
  list: call(z.object({ path: PathText.nullable().default(null) }), FileListing),
  /** One file or folder. */
  look: call(z.object({ path: PathText }), FileEntry),
}
