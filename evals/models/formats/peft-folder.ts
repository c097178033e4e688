/**
 * @file Adapters as PEFT 0.21 stores them: `adapter_config.json` and `adapter_model.safetensors`.
 *
 * Keys drop PEFT's prefix: `base_model.model.<module>.lora_A.weight` becomes `<module>.lora_A.weight`, `[r, in]`; lora_B is
 * `[out, r]`. The update of a module is s·B·A with s = α/r, or α/√r for rsLoRA; of an embedding `[vocab, hidden]` it is
 * s·(B·A)ᵀ with lora_embedding_A `[r, vocab]` and lora_embedding_B `[hidden, r]`. Weights trained whole (`modules_to_save`, such
 * as a classification head; biases) and those that LoRA of an embedding begins from (`base_layer`) keep the base's names.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { StoredWeight } from '../weights/storage.ts'
import { exists, malformed, readJson } from '../../files/read-file.ts'
import { moduleNames } from '../module-names.ts'
import { isPlain } from '../text/bounded-run.ts'
import {
  adaptedName,
  ALL_LINEAR,
  isExperts,
  patternOfModules,
  rankOf,
  type PeftConfig,
} from './peft-config.ts'
import { readSafetensorsIndex } from './safetensors.ts'
import { writeSafetensors } from './safetensors-write.ts'
import { makeFolder } from '../../files/private-file.ts'
import { writeAtomically } from '../../files/write-file.ts'
import { digestAt, openFiles, readStored } from '../weights/stored-weights.ts'

export interface PeftTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

export interface PeftFolder {
  readonly config: PeftConfig
  /** By `<module>.lora_A.weight` and so on; of experts that are one stack, `<module>` is the stack's or its `base_layer`. */
  readonly tensors: ReadonlyMap<string, PeftTensor>
  /** Weights that replace those of the base, by their names and in the shapes of its file. */
  readonly saved?: ReadonlyMap<string, PeftTensor>
}

export const CONFIG_FILE = 'adapter_config.json'
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors'
/** sha256 of both files: the configuration holds the scale of the update. */
export const peftDigest = (folder: string): Promise<string> =>
  digestAt(folder, [CONFIG_FILE, ADAPTER_WEIGHTS])

const PREFIX = 'base_model.model.'
const KEY =
  /^(?<module>.+)\.(?<part>lora_A\.weight|lora_B\.(?:weight|bias)|lora_embedding_[AB]|lora_magnitude_vector(\.weight)?)$/u

/** Of another method, of tokens trained alone or added, or under names of another tool: no damage. */
const unsupportedPart = (path: string, name: string) =>
  new TouchstoneError('checkpoint.unsupported', {
    path,
    what: 'the adapter weight',
    found: name,
    supported:
      'what PEFT writes of LoRA and DoRA, with the biases and modules_to_save that adapter_config.json names; merge another adapter into its base with PEFT and give the merged model',
  })

const rank = z
  .int()
  .min(1)
  .max(2 ** 16)
const finite = z.number().refine(Number.isFinite)
const nothing = z.union([z.null(), z.literal(false), z.tuple([]), z.strictObject({})])
/** A regular expression that takes at most cubic time. */
const modulePattern = z.string().refine((key) => {
  try {
    return isPlain(key) && patternOfModules(key) !== undefined
  } catch {
    return false
  }
}, 'an expression without repeated groups')
const patterns = <T extends z.ZodType<number>>(value: T) =>
  z
    .record(modulePattern, value)
    .nullish()
    .transform((found) => found ?? undefined)

/** Options that record how an adapter was trained or stored and do not affect its output. */
const IGNORED = `
  auto_mapping corda_config eva_config inference_mode layers_pattern
  layers_to_transform loftq_config lora_ga_config megatron_core peft_version
  qalora_group_size revision runtime_config exclude_modules task_type base_model_class
  parent_library unsloth_fixed
`
  .trim()
  .split(/\s+/u)

const configSchema = z
  .object({
    peft_type: z.literal('LORA'),
    base_model_name_or_path: z.string().nullish(),
    r: rank.default(8),
    lora_alpha: finite.default(8),
    lora_dropout: z.number().min(0).max(1).default(0),
    target_modules: z.union([z.array(z.string()), z.string()]).nullish(),
    rank_pattern: patterns(rank),
    alpha_pattern: patterns(finite),
    use_rslora: z.boolean().default(false),
    use_dora: z.boolean().default(false),
    fan_in_fan_out: z.boolean().default(false),
    init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
    bias: z.enum(['none', 'all', 'lora_only']).default('none'),
    lora_bias: z.boolean().default(false),
    modules_to_save: z.array(z.string().regex(/^[\w.-]+$/u, 'only plain module names')).nullish(),
    target_parameters: z.array(z.string()).nullish(),
    ensure_weight_tying: z.boolean().nullish(),
    ...Object.fromEntries(IGNORED.map((name) => [name, z.unknown().optional()])),
  })
  // Any other option must be off, since its effect is unknown.
  .catchall(nothing)

interface PeftIndex {
  readonly config: PeftConfig
  /** By the same keys, not yet read. */
  readonly weights: ReadonlyMap<string, StoredWeight>
  readonly saved: ReadonlyMap<string, StoredWeight>
}

export async function readPeftFolder(folder: string): Promise<PeftFolder> {
  const { config, weights, saved } = await readPeftIndex(folder)
  const path = join(folder, ADAPTER_WEIGHTS)
  const tensors = await readTensors(path, weights)
  return saved.size === 0
    ? { config, tensors }
    : { config, tensors, saved: await readTensors(path, saved) }
}

/** The configuration, and the location of each tensor. */
export async function readPeftIndex(folder: string): Promise<PeftIndex> {
  const weightsPath = join(folder, ADAPTER_WEIGHTS)
  if (!(await exists(weightsPath)) && (await exists(join(folder, 'adapter_model.bin')))) {
    throw new TouchstoneError('checkpoint.pickle', { path: join(folder, 'adapter_model.bin') })
  }
  const stored = await readConfig(join(folder, CONFIG_FILE))
  const { weights: all } = await readSafetensorsIndex(weightsPath)
  const saved = new Map(all.flatMap((weight) => savedName(weight, stored)))
  if ((stored.modules_to_save ?? []).length > 0 && saved.size === 0) {
    throw malformed(weightsPath, 'no weight of modules_to_save', `${CONFIG_FILE}’s modules`)
  }
  const weights = all.filter((weight) => savedName(weight, stored).length === 0)
  const names = new Map(weights.map((weight) => [adapterKey(weightsPath, weight.name), weight]))
  if (names.size !== weights.length) {
    throw malformed(weightsPath, 'the same module twice', 'each module once')
  }
  const modules = [...new Set([...names.keys()].map((key) => KEY.exec(key)!.groups!.module!))]
  const config = toConfig(stored, modules)
  for (const module of modules) checkModule(weightsPath, config, module, names)
  return { config, weights: names, saved }
}

/**
 * A weight that the adapter holds whole, by its name in the base. PEFT takes the ends of names in `modules_to_save`, and where
 * the tie is ensured writes embedding and head although one is named.
 */
function savedName(
  weight: StoredWeight,
  {
    modules_to_save: modules,
    ensure_weight_tying: ensuresTying,
    bias,
  }: z.infer<typeof configSchema>,
): [string, StoredWeight][] {
  const name = weight.name.startsWith(PREFIX) ? weight.name.slice(PREFIX.length) : ''
  const isSaved =
    name.endsWith('.base_layer.weight') ||
    (bias !== 'none' && name.endsWith('.bias')) ||
    (modules ?? []).some((module) => ensuresTying === true || name.includes(`${module}.`))
  return isSaved && !KEY.test(name) ? [[name.replace(/\.base_layer(?=\.\w+$)/u, ''), weight]] : []
}

async function readConfig(path: string): Promise<z.infer<typeof configSchema>> {
  const parsed = configSchema.safeParse(await readJson(path))
  if (parsed.success) return parsed.data
  const { path: where, message } = parsed.error.issues[0]!
  throw new TouchstoneError('checkpoint.unsupported', {
    path,
    what: 'the adapter option',
    found: `${where.join('.') || 'none'} (${message})`,
    supported:
      'peft_type LORA with what PEFT 0.21 calls LoRA, DoRA and rsLoRA; merge another adapter into its base with PEFT and give the merged model',
  })
}

function toConfig(stored: z.infer<typeof configSchema>, modules: readonly string[]): PeftConfig {
  const { target_modules: targets } = stored
  return {
    base: stored.base_model_name_or_path ?? '',
    rank: stored.r,
    alpha: stored.lora_alpha,
    // For a pattern or nothing, the weights show which modules were adapted.
    targetModules: Array.isArray(targets) ? [...targets].sort() : targetNames(modules),
    rankPattern: stored.rank_pattern,
    alphaPattern: stored.alpha_pattern,
    dropout: stored.lora_dropout,
    useRslora: stored.use_rslora,
    useDora: stored.use_dora,
    fanInFanOut: stored.fan_in_fan_out,
    initLoraWeights: stored.init_lora_weights ?? true,
    ensuresTying: stored.ensure_weight_tying ?? false,
    targetParameters: stored.target_parameters ?? [],
  }
}

/** Names that select the adapted modules and no others: last names, or paths inside the block. */
const targetNames = (modules: readonly string[]): string[] =>
  [...new Set(moduleNames([...new Set(modules)]).values())].sort()

/** `classifier.dense.weight` → `classifier`. */
const savedModules = (names: readonly string[]): string[] =>
  [...new Set(names.map((name) => name.slice(0, name.indexOf('.'))))].sort()

function adapterKey(path: string, name: string): string {
  const key = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : ''
  if (!KEY.test(key)) throw unsupportedPart(path, name)
  return key.replace(/(lora_magnitude_vector)\.weight$/u, '$1')
}

function checkModule(
  path: string,
  config: PeftConfig,
  module: string,
  names: ReadonlyMap<string, StoredWeight>,
): void {
  const shapeOf = (part: string) => names.get(`${module}.${part}`)?.shape
  const A = shapeOf('lora_A.weight') ?? shapeOf('lora_embedding_A')
  const B = shapeOf('lora_B.weight') ?? shapeOf('lora_embedding_B')
  const magnitude = shapeOf('lora_magnitude_vector')
  const expected = rankOf(config, adaptedName(config, module))
  // A stack has this rank once an expert.
  const isRank = (rank: number) =>
    isExperts(module) ? rank > 0 && rank % expected === 0 : rank === expected
  if (A?.length !== 2 || B?.length !== 2 || A[0] !== B[1] || !isRank(A[0]!)) {
    throw malformed(
      path,
      `for ${module} lora_A [${A?.join(', ') ?? 'none'}] and lora_B [${B?.join(', ') ?? 'none'}]`,
      `[${expected}, in] and [out, ${expected}], as ${CONFIG_FILE} says`,
    )
  }
  const wanted = config.useDora === true ? `[${B[0]}]` : 'none'
  const found = magnitude ? `[${magnitude.join(', ')}]` : 'none'
  if (found !== wanted) throw malformed(path, `magnitude ${found} for ${module}`, wanted)
}

async function readTensors(
  path: string,
  names: ReadonlyMap<string, StoredWeight>,
): Promise<ReadonlyMap<string, PeftTensor>> {
  const files = await openFiles([path])
  try {
    const tensors = new Map<string, PeftTensor>()
    for (const [key, weight] of names) {
      tensors.set(key, { shape: weight.shape, data: readStored(files, weight) })
    }
    return tensors
  } finally {
    await files.close()
  }
}

/** Writes what `PeftModel.from_pretrained` reads, the weights first, so that a configuration never lacks them. */
export async function writePeftFolder(
  folder: string,
  { config, tensors, saved = new Map<string, PeftTensor>() }: PeftFolder,
): Promise<void> {
  makeFolder(folder)
  await writeSafetensors(
    join(folder, ADAPTER_WEIGHTS),
    [...tensors, ...saved].map(([key, tensor]) => ({ name: PREFIX + key, ...tensor })),
    { format: 'pt' },
  )
  const stored = {
    alpha_pattern: config.alphaPattern ?? {},
    auto_mapping: null,
    base_model_name_or_path: config.base,
    bias: 'none',
    fan_in_fan_out: config.fanInFanOut ?? false,
    inference_mode: true,
    init_lora_weights: config.initLoraWeights ?? true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: config.alpha,
    lora_dropout: config.dropout ?? 0,
    modules_to_save: saved.size === 0 ? null : savedModules([...saved.keys()]),
    peft_type: 'LORA',
    r: config.rank,
    rank_pattern: config.rankPattern ?? {},
    revision: null,
    // In a list, PEFT accepts only names.
    target_modules: config.targetModules.includes(ALL_LINEAR)
      ? targetNames([...tensors.keys()].map((key) => KEY.exec(key)!.groups!.module!))
      : [...config.targetModules].sort(),
    task_type: saved.size === 0 ? 'CAUSAL_LM' : 'SEQ_CLS',
    use_dora: config.useDora ?? false,
    use_rslora: config.useRslora ?? false,
  }
  await writeAtomically(join(folder, CONFIG_FILE), [`${JSON.stringify(stored, null, 2)}\n`])
}
