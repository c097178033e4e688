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

/** A file as a family's rules see it: metadata by its key below the architecture's name, as in `block_count`. */
export interface FamilyFile {
  readonly path: string
  readonly get: (key: string) => GgufValue | undefined
  /** A positive number, whole or not; an error where it is neither there nor given. */
  whole(key: string, otherwise?: number): number
  real(key: string, otherwise?: number): number
  /** By Hugging Face's names. */
  readonly weights: WeightIndex
  /** Tensors that are settings rather than weights, by ggml's names. */
  readonly extras: ReadonlyMap<string, Float32Array>
}

/** One or a few settings: keys of the file on one side, keys of `config.json` on the other. */
export interface GgufRule {
  readonly keys: readonly string[]
  /** @param config what the rules before it have read */
  read(file: FamilyFile, config: JsonObject): JsonObject
  write(config: JsonObject, path: string): readonly (readonly [key: string, field: GgufField])[]
  /** Settings that the file keeps as tensors. */
  tensors?(config: JsonObject, path: string): readonly GgufTensorToWrite[]
}

export interface GgufFamily {
  /** `general.architecture`. */
  readonly architecture: string
  /** Where two families share an architecture: whether a file is of this one. */
  readonly isOf?: (get: FamilyFile['get']) => boolean
  /** `model_type` of the configuration that such a file is read as. */
  readonly modelType: string
  /** Transformers' class. */
  readonly className: string
  readonly names: GgufNames
  /** By ggml's name of the module. */
  readonly layouts?: Readonly<Record<string, GgufLayout>>
  /** What no file says because all of the family have it. */
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

/** The same whole number under two names; where one side says nothing, what `otherwise` makes of earlier settings. */
export const whole = (key: string, field: string, otherwise?: Otherwise): GgufRule =>
  numeric('u32', key, field, otherwise)
export const real = (key: string, field: string, otherwise?: Otherwise): GgufRule =>
  numeric('f32', key, field, otherwise)

/** Absent, or 0 in the file, where the model has none. */
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

/** What the file says by having a weight. */
export const presence = (field: string, weight: string): GgufRule => ({
  keys: [],
  read: ({ weights }) => ({ [field]: weights.has(weight) }),
  write: () => [],
})

/** Settings that change what is computed: a family that does not read one of them cannot take it for said. */
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

/** The key of a setting that `family` would pass over although it changes the model. */
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

/** The float32 9.999999747378752e-6 was written as 1e-5: the shortest decimal with the same float32. */
function shortest(value: number): number {
  const short = Number(value.toPrecision(7))
  return Math.fround(short) === Math.fround(value) ? short : value
}
