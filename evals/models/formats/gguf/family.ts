/**
 * @file The table that maps a family's GGUF metadata to config.json and back, and the rules it is made of. Each family's
 * table is in its file under families/; the facts are from llama.cpp's converter and loader.
 */
import type { WeightIndex } from '../../weights/storage.ts'
import { malformed, type JsonObject } from '../../../files/read-file.ts'
import type { GgufValue } from './header.ts'
import type { GgufLayout } from './layouts.ts'
import type { GgufNames } from './names.ts'
import type { GgufField, GgufTensorToWrite } from './write.ts'

export type GgufMetadata = ReadonlyMap<string, GgufValue>

/** A file as rules read it. Keys omit the architecture's name, as in `block_count`. */
export interface FamilyFile {
  readonly path: string
  readonly get: (key: string) => GgufValue | undefined
  /** A positive number. Throws if it is absent and has no default. */
  whole(key: string, otherwise?: number): number
  real(key: string, otherwise?: number): number
  /** By Hugging Face's names. */
  readonly weights: WeightIndex
  /** Tensors that hold settings, by ggml's names. */
  readonly extras: ReadonlyMap<string, Float32Array>
}

/** Maps one or a few settings between the file's keys and those of `config.json`. */
export interface GgufRule {
  readonly keys: readonly string[]
  /** @param config settings read by the rules before this one */
  read(file: FamilyFile, config: JsonObject): JsonObject
  write(config: JsonObject, path: string): readonly (readonly [key: string, field: GgufField])[]
  /** Settings that the file stores as tensors. */
  tensors?(config: JsonObject, path: string): readonly GgufTensorToWrite[]
}

export interface GgufFamily {
  /** `general.architecture`. */
  readonly architecture: string
  /** Where two families share an architecture: whether a file belongs to this one. */
  readonly isOf?: (get: FamilyFile['get']) => boolean
  /** `model_type` of the configuration that such a file is read as. */
  readonly modelType: string
  /** Transformers' class. */
  readonly className: string
  readonly names: GgufNames
  /** By ggml's module name. */
  readonly layouts?: Readonly<Record<string, GgufLayout>>
  /** Settings that all models of the family share and no file states. */
  readonly settled?: JsonObject
  readonly rules: readonly GgufRule[]
}

type Otherwise = (config: JsonObject) => number

function numeric(type: 'u32' | 'f32', key: string, field: string, otherwise?: Otherwise): GgufRule {
  return {
    keys: [key],
    read: (file, config) => ({
      [field]: file[type === 'u32' ? 'whole' : 'real'](key, otherwise?.(config)),
    }),
    write: (config) => [
      [key, { type, value: (config[field] as number | null | undefined) ?? otherwise!(config) }],
    ],
  }
}

/** The same whole number under two names. `otherwise` computes a missing one from earlier settings. */
export const whole = (key: string, field: string, otherwise?: Otherwise): GgufRule =>
  numeric('u32', key, field, otherwise)
export const real = (key: string, field: string, otherwise?: Otherwise): GgufRule =>
  numeric('f32', key, field, otherwise)

/** Absent or 0 in the file if the model has none. */
export const wholeOrNone = (key: string, field: string): GgufRule => ({
  keys: [key],
  read: (file) => (Number(file.get(key) ?? 0) === 0 ? {} : { [field]: file.whole(key) }),
  write: (config) =>
    typeof config[field] === 'number' ? [[key, { type: 'u32', value: config[field] }]] : [],
})

export const flag = (key: string, field: string, otherwise: boolean): GgufRule => ({
  keys: [key],
  read: (file) => ({ [field]: file.get(key) ?? otherwise }),
  write: (config) => [[key, { type: 'bool', value: (config[field] ?? otherwise) === true }]],
})

/** A setting that is true if the file has the weight. */
export const presence = (field: string, weight: string): GgufRule => ({
  keys: [],
  read: ({ weights }) => ({ [field]: weights.has(weight) }),
  write: () => [],
})

/**
 * Settings that change the computation, with their neutral values: other values are refused unless a rule reads the key.
 */
const TELLING: Readonly<Record<string, readonly unknown[]>> = {
  'attention.causal': [true],
  'attention.clamp_kqv': [0],
  'attention.max_alibi_bias': [0],
  'attention.scale': [0],
  'attention.sliding_window': [0],
  attn_logit_softcapping: [0],
  embedding_scale: [0, 1],
  expert_count: [0],
  expert_gating_func: [0, 1],
  expert_shared_count: [0],
  expert_weights_scale: [0, 1],
  final_logit_softcapping: [0],
  logit_scale: [0, 1],
  residual_scale: [0, 1],
  'rope.dimension_sections': [],
}

/** The key of a setting that changes the model and that no rule of the family reads. */
export const passedOver = (family: GgufFamily, get: FamilyFile['get']): string | undefined =>
  Object.entries(TELLING).find(([key, neutral]) => {
    const value = get(key)
    const isRead = family.rules.some(({ keys }) => keys.includes(key))
    return value !== undefined && !isRead && !neutral.includes(value)
  })?.[0]

export function familyFile(
  path: string,
  architecture: string,
  metadata: GgufMetadata,
  { weights, extras }: Pick<FamilyFile, 'weights' | 'extras'>,
): FamilyFile {
  const get = (key: string) => metadata.get(`${architecture}.${key}`)
  const real = (key: string, otherwise?: number): number => {
    const value = get(key) ?? otherwise
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
      const said = `${architecture}.${key} = ${String(value).slice(0, 40)}`
      throw malformed(path, said, 'a positive number')
    }
    return shortest(value)
  }
  return {
    path,
    get,
    real,
    weights,
    extras,
    whole(key, otherwise) {
      const value = real(key, otherwise)
      if (Number.isSafeInteger(value)) return value
      throw malformed(path, `${architecture}.${key} = ${value}`, 'a whole number')
    },
  }
}

/** The shortest decimal with the same float32: 9.999999747378752e-6 was written as 1e-5. */
function shortest(value: number): number {
  const short = Number(value.toPrecision(7))
  return Math.fround(short) === Math.fround(value) ? short : value
}
