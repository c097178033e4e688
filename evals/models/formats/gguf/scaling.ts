/**
 * @file Rotary scaling in GGUF and in config.json, one table row per kind. Refused in both directions where llama.cpp and
 * transformers compute different results. llama.cpp's behaviour as in llama-cpp-python 0.3.36 (llama-model.cpp,
 * llama-context.cpp, ggml's rope_yarn).
 */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { malformed, type JsonObject } from '../../../files/read-file.ts'
import type { FamilyFile } from './family.ts'
import type { GgufField, GgufTensorToWrite } from './write.ts'
import {
  factorOf,
  MAX_FACTOR,
  rotaryAmplitude,
  rotaryFrequencies,
  trainedOf,
  type RopeScaling,
  type RotaryConfig,
} from '../../rotary.ts'

/** Divisors of the pairs beyond the trained length, and up to it: `[rotaryDim / 2]`. */
export const LONG_FACTORS = 'rope_factors_long.weight'
export const SHORT_FACTORS = 'rope_factors_short.weight'

const TYPE = 'rope.scaling.type'
const FACTOR = 'rope.scaling.factor'
const OLD_FACTOR = 'rope.scale_linear'
export const TRAINED = 'rope.scaling.original_context_length'
const ATTENTION = 'rope.scaling.attn_factor'
const WHOLE_ATTENTION = 'rope.scaling.yarn_attn_factor'
/** llama.cpp ignores these keys here and assumes these values, so other values are refused. */
const TAKEN: Readonly<Record<string, number>> = {
  'rope.scaling.yarn_ext_factor': 1,
  'rope.scaling.yarn_beta_fast': 32,
  'rope.scaling.yarn_beta_slow': 1,
  'rope.scaling.yarn_log_multiplier': 0,
}
export const SCALING_KEYS: readonly string[] = [
  TYPE,
  FACTOR,
  OLD_FACTOR,
  TRAINED,
  ATTENTION,
  WHOLE_ATTENTION,
  ...Object.keys(TAKEN),
]

/** config.json without scaling; `maxPositions` is the file's context length. */
export type Unscaled = Pick<RotaryConfig, 'theta' | 'rotaryDim' | 'maxPositions'>
type Fields = readonly (readonly [key: string, field: GgufField])[]

interface Kind {
  read(file: FamilyFile, unscaled: Unscaled): RopeScaling | null
  write(config: RotaryConfig, path: string): Fields
  tensors?(scaling: RopeScaling): readonly GgufTensorToWrite[]
}

const text = (key: string, value: string) => [key, { type: 'string', value }] as const
const real = (key: string, value: number) => [key, { type: 'f32', value }] as const
const whole = (key: string, value: number) => [key, { type: 'u32', value }] as const

/** By config.json's names. */
const KINDS: Readonly<Record<string, Kind>> = {
  default: {
    read(file) {
      requireNeutral(file, ATTENTION)
      return null
    },
    write: () => [],
  },

  linear: {
    read(file) {
      requireNeutral(file, ATTENTION)
      return { rope_type: 'linear', factor: factorIn(file) }
    },
    write: ({ scaling }) => [text(TYPE, 'linear'), real(FACTOR, scaling!.factor ?? 1)],
  },

  yarn: {
    read(file, unscaled) {
      const trained = file.whole(TRAINED, unscaled.maxPositions)
      const scaling = {
        rope_type: 'yarn',
        factor: stretchIn(file, unscaled.maxPositions / trained),
        original_max_position_embeddings: trained,
      }
      const config = { ...unscaled, scaling }
      if (!turnsAlike(config)) throw unsupported(file.path, `${TRAINED} for YaRN`, trained, RISING)
      const attention = file.real(ATTENTION, 1)
      if (attention === 1) return scaling
      return { ...scaling, attention_factor: amplitudeFrom(attention, yarnsOwn(scaling.factor)) }
    },
    write(config, path) {
      if (!turnsAlike(config)) throw unwritable(path, ownSettings(config.scaling!), RISING)
      const factor = factorOf(config, config.scaling!)
      const attention = Math.fround(rotaryAmplitude(config) / yarnsOwn(factor))
      return [
        text(TYPE, 'yarn'),
        real(FACTOR, factor),
        whole(TRAINED, trainedOf(config, config.scaling!)),
        ...(attention === 1 ? [] : [real(ATTENTION, attention)]),
      ]
    },
  },

  longrope: {
    read(file, { rotaryDim, maxPositions }) {
      // llama.cpp would divide by it once more.
      requireNeutral(file, factorKey(file))
      return {
        rope_type: 'longrope',
        short_factor: factorsIn(file, SHORT_FACTORS, rotaryDim / 2),
        long_factor: factorsIn(file, LONG_FACTORS, rotaryDim / 2),
        original_max_position_embeddings: file.whole(TRAINED, maxPositions),
        attention_factor: amplitudeFrom(file.real(ATTENTION, 1), 1),
      }
    },
    write: (config) => [
      text(TYPE, 'longrope'),
      whole(TRAINED, trainedOf(config, config.scaling!)),
      real(ATTENTION, rotaryAmplitude(config)),
    ],
    tensors: ({ long_factor, short_factor }) => [
      factorTensor(LONG_FACTORS, long_factor!),
      factorTensor(SHORT_FACTORS, short_factor!),
    ],
  },
}

export const kindOf = (scaling: RopeScaling | null): string =>
  scaling?.rope_type ?? scaling?.type ?? 'default'

/** The scaling as in config.json. Throws for unknown kinds and for settings that llama.cpp handles differently. */
export function readScaling(file: FamilyFile, unscaled: Unscaled): JsonObject | null {
  const kind = kindIn(file)
  for (const [key, value] of Object.entries(TAKEN)) {
    const said = file.get(key)
    if (said === undefined || said === value) continue
    throw unsupported(file.path, `the setting ${key}`, said, `${value}, which llama.cpp takes`)
  }
  const scaling = KINDS[kind]!.read(file, unscaled)
  requireAmplitude(file, rotaryAmplitude({ ...unscaled, scaling }))
  return scaling
}

/** GGUF's names, which config.json shares but for `none`. */
const NAMES: readonly unknown[] = ['none', 'linear', 'yarn', 'longrope']

/** Without a type, llama.cpp applies a factor linearly, and Phi-3's files may have longrope's tensors. */
export function kindIn(file: FamilyFile): string {
  const factor = file.get(factorKey(file)) ?? 0
  const said = file.get(TYPE) ?? (factor === 0 ? 'none' : 'linear')
  if (!NAMES.includes(said)) throw unsupported(file.path, 'rotary scaling', said, READABLE)
  const hasFactors = [LONG_FACTORS, SHORT_FACTORS].some((name) => file.extras.has(name))
  if (hasFactors && said === 'yarn')
    throw unsupported(file.path, 'rotary scaling yarn beside', LONG_FACTORS, READABLE)
  return hasFactors ? 'longrope' : said === 'none' ? 'default' : (said as string)
}

export function writeScaling(config: RotaryConfig, path: string): Fields {
  const kind = kindOf(config.scaling)
  if (!Object.hasOwn(KINDS, kind)) throw unwritable(path, `rotary scaling ${kind}`, WRITABLE)
  return KINDS[kind]!.write(config, path)
}

export const scalingTensors = ({ scaling }: RotaryConfig): readonly GgufTensorToWrite[] =>
  (scaling && KINDS[kindOf(scaling)]?.tensors?.(scaling)) ?? []

/** Numbers as a float32 tensor of one dimension. */
export const factorTensor = (name: string, values: ArrayLike<number>): GgufTensorToWrite => ({
  name,
  shape: [values.length],
  storage: 'F32',
  data: () => Float32Array.from(values),
})

const factorKey = (file: FamilyFile) =>
  file.get(FACTOR) === undefined && file.get(OLD_FACTOR) !== undefined ? OLD_FACTOR : FACTOR

function factorIn(file: FamilyFile): number {
  const factor = file.real(factorKey(file))
  if (factor <= MAX_FACTOR) return factor
  throw malformed(file.path, `${factorKey(file)} = ${factor}`, `at most ${MAX_FACTOR}`)
}

/** The exact quotient of both lengths if the file's float32 rounds to it. */
function stretchIn(file: FamilyFile, quotient: number): number {
  const factor = factorIn(file)
  return Math.fround(factor) === Math.fround(quotient) ? quotient : factor
}

/** Positive divisors, one per pair. */
function factorsIn(file: FamilyFile, name: string, pairs: number): number[] {
  const values = file.extras.get(name)
  if (!values) throw malformed(file.path, `longrope without "${name}"`, `"${name}"`)
  if (values.length !== pairs)
    throw malformed(file.path, `${values.length} numbers in "${name}"`, `${pairs}, one a pair`)
  const wrong = values.find((value) => !(value > 0 && value < Infinity))
  if (wrong !== undefined) throw malformed(file.path, `${wrong} in "${name}"`, 'positive divisors')
  return [...values]
}

/** YaRN's default factor on cos and sin. */
const yarnsOwn = (factor: number): number => (factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1)

const MOST_DIGITS = 9
/** The shortest decimal amplitude whose quotient by `own` rounds to the file's float32. */
function amplitudeFrom(attention: number, own: number): number {
  for (let digits = 1; digits <= MOST_DIGITS; digits++) {
    const short = Number((attention * own).toPrecision(digits))
    if (Math.fround(short / own) === Math.fround(attention)) return short
  }
  return attention * own
}

/** llama.cpp ignores this key; its converter writes transformers' total amplitude there. */
function requireAmplitude(file: FamilyFile, amplitude: number): void {
  const said = file.get(WHOLE_ATTENTION)
  if (said === undefined || Math.abs(Number(said) - amplitude) <= CLOSE * amplitude) return
  const taken = `${amplitude}, which llama.cpp takes whatever it says`
  throw unsupported(file.path, `the setting ${WHOLE_ATTENTION}`, said, taken)
}

function requireNeutral(file: FamilyFile, key: string): void {
  const said = file.get(key)
  if (said === undefined || said === 1) return
  throw unsupported(file.path, `with rotary scaling ${kindIn(file)} the setting ${key}`, said, '1')
}

const CLOSE = 1e-6

/** Whether llama.cpp's YaRN frequencies equal transformers'. */
function turnsAlike(config: RotaryConfig): boolean {
  const theirs = llamaCppYarn(config)
  return rotaryFrequencies(config).every(
    (frequency, i) => Math.abs(theirs[i]! - frequency) <= CLOSE * frequency,
  )
}

/** llama.cpp's frequencies: bounds at 32 turns and 1 turn, rounded to whole pairs, with a rising ramp. */
function llamaCppYarn(config: RotaryConfig): Float64Array {
  const { theta, rotaryDim, scaling } = config
  const [trained, factor] = [trainedOf(config, scaling!), factorOf(config, scaling!)]
  const pairOf = (turns: number) =>
    (rotaryDim * Math.log(trained / (turns * 2 * Math.PI))) / (2 * Math.log(theta))
  const low = Math.max(0, Math.floor(pairOf(32)))
  const high = Math.min(rotaryDim - 1, Math.ceil(pairOf(1)))
  return rotaryFrequencies({ ...config, scaling: null }).map((frequency, i) => {
    const divided = Math.min(Math.max((i - low) / Math.max(0.001, high - low), 0), 1)
    return (frequency / factor) * divided + frequency * (1 - divided)
  })
}

/** YaRN settings of config.json that llama.cpp does not read. */
function ownSettings(scaling: RopeScaling): string {
  const fields = (['beta_fast', 'beta_slow', 'truncate'] as const).filter(
    (field) => scaling[field] != null,
  )
  const said = fields.map((field) => `${field} ${String(scaling[field])}`)
  return ['rotary scaling yarn', ...said].join(', ')
}

const READABLE = 'plain, linear, yarn, Llama’s llama3, longrope of Llama and Phi-3'
const WRITABLE = 'linear and yarn, for Llamas llama3, for Llamas and Phi-3 longrope'
const RISING =
  'YaRN as llama.cpp computes it: beta_fast 32, beta_slow 1, whole pairs, and a ramp that rises'

const unsupported = (path: string, what: string, found: unknown, supported: string) =>
  new TouchstoneError('checkpoint.unsupported', {
    path,
    what,
    found: String(found).slice(0, 40),
    supported,
  })

export const unwritable = (path: string, found: string, supported = WRITABLE) =>
  new TouchstoneError('export.unsupported', { path, form: 'GGUF', found, supported })
