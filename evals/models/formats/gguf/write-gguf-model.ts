/** @file Writes a model as a GGUF file: metadata, weights in ggml's names and row order, tokenizer, chat template. */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import type { JsonObject } from '../../../files/read-file.ts'
import { requireSameComputation } from './check.ts'
import type { GgufFamily } from './family.ts'
import type { GgufLayout } from './layouts.ts'
import { ggufName } from './names.ts'
import { tokenizerFields } from './tokenizer-write.ts'
import { writeGguf, type GgufField, type GgufTensorToWrite } from './write.ts'
import type { ModelSources } from '../../model-sources.ts'
import { ggufFamilyFor, type Model } from '../../registry.ts'
import { joined } from '../../weights/joined.ts'

export type GgufForm = 'F16' | 'Q8_0' | 'Q4_0' | 'Q4_1'

interface GgufModelToWrite {
  /** Source of tokenizer and template. */
  readonly path: string
  readonly sources: ModelSources
  readonly model: Model
  readonly read: (name: string) => Float32Array
  readonly form: GgufForm
  readonly name: string
  /** Reason to keep weights that the audit said to delete, written into the file; null if there is none. */
  readonly exception: string | null
}

export const EXCEPTION_KEY = 'touchstone.kept_although'

/** llama.cpp's file-type numbers. */
const FILE_TYPES = { F16: 1, Q4_0: 2, Q4_1: 3, Q8_0: 7 } as const

/** Returns warnings for the user. */
export async function writeGgufModel(
  file: string,
  source: GgufModelToWrite,
): Promise<readonly string[]> {
  const { path, sources, model, form } = source
  const family = familyFor(source)
  const config = model.config as JsonObject
  const settings = family.rules.flatMap((rule) => rule.write(config, path))
  const extras = family.rules.flatMap((rule) => rule.tensors?.(config, path) ?? [])
  requireSameComputation({ path, model, family, settings, extras })
  const [template, licence] = [await sources.template(), await sources.licence()]
  const rows = model.weights.get(`${family.names.outside['token_embd']}.weight`)!.shape[0]!
  const tokenizer = tokenizerFields(path, await sources.tokenizer(), rows)
  const text = (value: string): GgufField => ({ type: 'string', value })
  const whole = (value: number): GgufField => ({ type: 'u32', value })
  const metadata = new Map<string, GgufField>([
    ['general.architecture', text(family.architecture)],
    ['general.name', text(source.name)],
    ...(licence === null ? [] : [['general.license', text(licence)] as const]),
    ['general.file_type', whole(FILE_TYPES[form])],
    ['general.quantization_version', whole(2)],
    ...(source.exception === null ? [] : [[EXCEPTION_KEY, text(source.exception)] as const]),
    ...settings.map(([key, field]) => [`${family.architecture}.${key}`, field] as const),
    [`${family.architecture}.vocab_size`, whole(rows)],
    ...tokenizer.fields,
    ['tokenizer.chat_template', text(template.text)],
  ])
  await writeGguf(file, metadata, [...extras, ...tensorsOf(source, family, config)])
  return tokenizer.isNamed ? [] : [UNNAMED]
}

function familyFor(source: GgufModelToWrite): GgufFamily {
  const { architecture } = source.model
  const family = ggufFamilyFor(architecture)
  if (family) return family
  const supported = 'the families that llama.cpp has a name for'
  throw unsupported(source, `the family ${architecture.name}`, supported)
}

const UNNAMED =
  'GGUF has no form of its own for this tokenizer: it is in the file whole (tokenizer.huggingface.json), which llama.cpp does not read; give it token numbers.'

const BLOCK = 32
/** Matrices that llama.cpp's converter keeps in float32. */
const KEPT: ReadonlySet<string> = new Set(['ffn_gate_inp', 'position_embd'])

/** Embedding and head, which llama.cpp too keeps finer in a file of four bits. */
const FINER: ReadonlySet<string> = new Set(['token_embd', 'output'])
const isFourBits = (form: GgufForm) => form === 'Q4_0' || form === 'Q4_1'

interface Planned {
  readonly layout: GgufLayout | undefined
  /** Hugging Face's names; for stacked experts one per expert. */
  readonly sources: string[]
  readonly module: string
  readonly isStacked: boolean
}

function tensorsOf(
  source: GgufModelToWrite,
  family: GgufFamily,
  config: JsonObject,
): GgufTensorToWrite[] {
  const planned = new Map<string, Planned>()
  for (const name of source.model.weights.keys()) {
    const found = ggufName(family.names, name)
    if (!found) throw unsupported(source, `the weight ${name}`, `those of ${family.architecture}`)
    const { stored, module, expert } = found
    const layout = family.layouts?.[module]
    const isStacked = expert !== undefined
    const plan = planned.get(stored) ?? { layout, module, isStacked, sources: [] }
    plan.sources[expert ?? 0] = name
    planned.set(stored, plan)
  }
  return [...planned].map(([name, plan]) => tensorOf(source, name, plan, config))
}

/** As in llama.cpp's converter: vectors stay float32; rows that do not divide into blocks become float16. */
function tensorOf(
  { model, read, form }: GgufModelToWrite,
  name: string,
  { layout, sources, module, isStacked }: Planned,
  config: JsonObject,
): GgufTensorToWrite {
  const { shape } = model.weights.get(sources[0]!)!
  const isWhole = form === 'F16' || shape.at(-1)! % BLOCK === 0
  const fitting = !isWhole ? 'F16' : isFourBits(form) && FINER.has(module) ? 'Q8_0' : form
  const storage = shape.length === 1 || KEPT.has(module) ? 'F32' : fitting
  const laidOut = (from: string) => layout?.write(read(from), shape, config) ?? read(from)
  return {
    name,
    storage,
    shape: isStacked ? [sources.length, ...shape] : shape,
    data: () => (isStacked ? joined(Float32Array, sources.map(laidOut)) : laidOut(sources[0]!)),
  }
}

const unsupported = ({ path }: GgufModelToWrite, found: string, supported: string) =>
  new TouchstoneError('export.unsupported', { path, form: 'GGUF', found, supported })
