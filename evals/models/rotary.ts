/**
 * @file Rotary frequencies, and their scaling beyond the trained length: one table row per kind of `rope_scaling`. Values
 * equal transformers' (modeling_rope_utils, 5.24).
 *
 * Where frequencies depend on length (dynamic, longrope), it is the length of the token's own text without padding;
 * transformers uses the batch's longest text, or the longest one seen so far. A single text without a cache gives the same
 * result.
 */
import { z } from 'zod'
import { TouchstoneError } from '../errors/touchstone-error.ts'

/** Largest scaling factor; published models stay below a hundred. */
export const MAX_FACTOR = 1024
const factors = z.array(z.number().positive()).nullish()

export const RopeScaling = z.looseObject({
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  factor: z.number().positive().max(MAX_FACTOR).nullish(),
  original_max_position_embeddings: z.int().positive().nullish(),
  low_freq_factor: z.number().positive().nullish(),
  high_freq_factor: z.number().positive().nullish(),
  attention_factor: z.number().positive().nullish(),
  beta_fast: z.number().positive().nullish(),
  beta_slow: z.number().positive().nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().nullish(),
  short_factor: factors,
  long_factor: factors,
})
export type RopeScaling = z.infer<typeof RopeScaling>

export interface RotaryConfig {
  readonly theta: number
  /** Rotated numbers per head: all, or the first ones. */
  readonly rotaryDim: number
  readonly scaling: RopeScaling | null
  readonly maxPositions: number
  /** Longest text in training, in tokens; if absent, from the scaling or `maxPositions`. */
  readonly trained?: number | undefined
}

/** Sets of frequencies: one up to the trained length, and others for longer texts. */
export interface Stretches {
  /** Index 0 up to this many tokens, then one more per token, up to the last. */
  readonly trained: number
  /** 1 if frequencies do not depend on the text. */
  readonly count: number
}

interface Kind {
  /** Required and optional fields. */
  readonly needs: readonly (keyof RopeScaling)[]
  readonly takes: readonly string[]
  /** Angle per position of each pair, `[rotaryDim/2]`, for index `stretch`. */
  frequencies(config: RotaryConfig, scaling: RopeScaling, stretch: number): Float64Array
  /** Factor on cos and sin; 1 if absent. */
  amplitude?(config: RotaryConfig, scaling: RopeScaling): number
  /** For texts of up to `longest` tokens; one set if absent. */
  stretches?(config: RotaryConfig, scaling: RopeScaling, longest: number): Stretches
  /** Longest supported text in tokens; `maxPositions` if absent. */
  reach?(config: Pick<RotaryConfig, 'maxPositions'>, scaling: RopeScaling): number
}

/** Fields allowed for every kind. */
const COMMON = ['rope_type', 'type', 'rope_theta', 'partial_rotary_factor', 'factor', 'finetuned']
const TRAINED = 'original_max_position_embeddings'

/** 1/θ^(2i/r). */
const plain = (theta: number, rotaryDim: number): Float64Array =>
  Float64Array.from({ length: rotaryDim / 2 }, (_, i) => theta ** ((-2 * i) / rotaryDim))

const unscaled = ({ theta, rotaryDim }: RotaryConfig) => plain(theta, rotaryDim)

export const trainedOf = ({ trained, maxPositions }: RotaryConfig, scaling: RopeScaling): number =>
  trained ?? scaling.original_max_position_embeddings ?? maxPositions

/** YaRN and longrope may leave the factor to the two lengths. */
export const factorOf = (config: RotaryConfig, scaling: RopeScaling): number =>
  scaling.factor ?? config.maxPositions / trainedOf(config, scaling)

const KINDS: Readonly<Record<string, Kind>> = {
  default: { needs: [], takes: [TRAINED], frequencies: unscaled },

  /** Positions divided by the factor. */
  linear: {
    needs: ['factor'],
    takes: [TRAINED],
    frequencies: (config, { factor }) => unscaled(config).map((frequency) => frequency / factor!),
  },

  /** Long wavelengths divided by the factor, middle ones interpolated. */
  llama3: {
    needs: ['factor'],
    takes: [TRAINED, 'low_freq_factor', 'high_freq_factor'],
    frequencies: llama3,
  },

  /** NTK: for a text of L tokens, longer than the trained T, the base is θ·(f·L/T − (f − 1))^(r/(r − 2)). */
  dynamic: {
    needs: ['factor'],
    takes: [TRAINED],
    frequencies({ theta, rotaryDim, maxPositions }, { factor }, stretch) {
      const wider = (factor! * (maxPositions + stretch)) / maxPositions - (factor! - 1)
      return plain(theta * wider ** (rotaryDim / (rotaryDim - 2)), rotaryDim)
    },
    stretches: ({ maxPositions: trained }, _, longest) => ({
      trained,
      count: longest - trained + 1,
    }),
    reach: ({ maxPositions }, { factor }) => Math.floor(maxPositions * (factor ?? 1)),
  },

  /** arXiv:2309.00071: fast pairs keep their frequency, slow ones are divided by the factor, with a ramp between. */
  yarn: {
    needs: [],
    takes: [
      TRAINED,
      'attention_factor',
      'beta_fast',
      'beta_slow',
      'mscale',
      'mscale_all_dim',
      'truncate',
    ],
    frequencies: yarn,
    amplitude: yarnAmplitude,
    reach({ maxPositions }, { factor, original_max_position_embeddings: trained }) {
      return Math.max(maxPositions, Math.floor((factor ?? 1) * (trained ?? maxPositions)))
    },
  },

  /** arXiv:2402.13753: a float32 divisor per pair, one set up to the trained length and one beyond. */
  longrope: {
    needs: ['short_factor', 'long_factor'],
    takes: [TRAINED, 'attention_factor'],
    frequencies(config, { short_factor, long_factor }, stretch) {
      const divisors = stretch === 0 ? short_factor! : long_factor!
      return unscaled(config).map((frequency, i) => frequency / Math.fround(divisors[i]!))
    },
    amplitude(config, scaling) {
      const factor = factorOf(config, scaling)
      const inferred = Math.sqrt(1 + Math.log(factor) / Math.log(trainedOf(config, scaling)))
      return scaling.attention_factor ?? (factor <= 1 ? 1 : inferred)
    },
    stretches: (config, scaling) => ({ trained: trainedOf(config, scaling), count: 2 }),
  },
}

const kindOf = (scaling: RopeScaling | null): string =>
  scaling?.rope_type ?? scaling?.type ?? 'default'

function llama3(config: RotaryConfig, scaling: RopeScaling): Float64Array {
  const [factor, low, high] = [
    scaling.factor!,
    scaling.low_freq_factor ?? 1,
    scaling.high_freq_factor ?? 4,
  ]
  const trained = trainedOf(config, scaling)
  return unscaled(config).map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency
    if (wavelength < trained / high) return frequency
    if (wavelength > trained / low) return frequency / factor
    const smooth = (trained / wavelength - low) / (high - low)
    return ((1 - smooth) * frequency) / factor + smooth * frequency
  })
}

function yarn(config: RotaryConfig, scaling: RopeScaling): Float64Array {
  const { theta, rotaryDim } = config
  const trained = trainedOf(config, scaling)
  const factor = factorOf(config, scaling)
  /** Fractional index of the pair with this many turns in the trained length. */
  const pairOf = (turns: number) =>
    (rotaryDim * Math.log(trained / (turns * 2 * Math.PI))) / (2 * Math.log(theta))
  const [first, last] = [pairOf(scaling.beta_fast ?? 32), pairOf(scaling.beta_slow ?? 1)]
  const isWhole = scaling.truncate ?? true
  const low = Math.max(isWhole ? Math.floor(first) : first, 0)
  const high = Math.min(isWhole ? Math.ceil(last) : last, rotaryDim - 1)
  const width = low === high ? 0.001 : high - low
  return unscaled(config).map((frequency, i) => {
    const divided = Math.min(Math.max((i - low) / width, 0), 1)
    return (frequency / factor) * divided + frequency * (1 - divided)
  })
}

function yarnAmplitude(config: RotaryConfig, scaling: RopeScaling): number {
  const factor = factorOf(config, scaling)
  const { attention_factor: said, mscale, mscale_all_dim: overAll } = scaling
  const scaled = (by: number) => (factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1)
  return said ?? (mscale && overAll ? scaled(mscale) / scaled(overAll) : scaled(1))
}

const foundKind = ({ scaling }: Pick<RotaryConfig, 'scaling'>): Kind => {
  const name = kindOf(scaling)
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined
  if (kind) return kind
  const supported = Object.keys(KINDS).join(', ')
  throw unsupported('rope scaling', name, supported)
}

/** Returns valid settings. Throws for unknown fields, missing fields and wrong lengths. */
export function checkedRotary(config: RotaryConfig): RotaryConfig {
  const { scaling, rotaryDim } = config
  const name = kindOf(scaling)
  const { needs, takes } = foundKind(config)
  const known = [...COMMON, ...takes, ...needs]
  for (const [field, value] of Object.entries(scaling ?? {})) {
    if (value == null || known.includes(field)) continue
    throw unsupported(`for rope scaling ${name} the setting`, field, known.join(', '))
  }
  for (const field of needs) {
    const value = scaling![field]
    if (value == null) throw malformed(`rope scaling ${name} without "${field}"`, `"${field}"`)
    if (Array.isArray(value) && value.length !== rotaryDim / 2)
      throw malformed(`${value.length} numbers in "${field}"`, `${rotaryDim / 2}, one a pair`)
  }
  if (name === 'dynamic' && rotaryDim <= 2)
    throw malformed('rope scaling dynamic for one pair a head', 'two pairs or more')
  return config
}

const unsupported = (what: string, found: string, supported: string) =>
  new TouchstoneError('checkpoint.unsupported', { path: 'config.json', what, found, supported })

const malformed = (found: string, expected: string) =>
  new TouchstoneError('checkpoint.malformed', { path: 'config.json', found, expected })

/** Angle per position of each pair, `[rotaryDim/2]`. @param stretch index of `stretchesOf` */
export const rotaryFrequencies = (config: RotaryConfig, stretch = 0): Float64Array =>
  foundKind(config).frequencies(config, config.scaling ?? {}, stretch)

/** Factor on cos and sin, a float32: the attention factor of YaRN and longrope. Scores get its square. */
export const rotaryAmplitude = (config: RotaryConfig): number =>
  Math.fround(foundKind(config).amplitude?.(config, config.scaling ?? {}) ?? 1)

/** Longest supported text in tokens. */
export const rotaryReach = (config: Pick<RotaryConfig, 'scaling' | 'maxPositions'>): number =>
  foundKind(config).reach?.(config, config.scaling ?? {}) ?? config.maxPositions

const ONE: Stretches = { trained: Infinity, count: 1 }

/** The sets of frequencies for texts of up to `longest` tokens. */
export function stretchesOf(config: RotaryConfig, longest: number): Stretches {
  const found = foundKind(config).stretches?.(config, config.scaling ?? {}, longest) ?? ONE
  return longest > found.trained ? found : ONE
}

/** Index of the set for a text of `length` tokens. */
export const stretchOf = ({ trained, count }: Stretches, length: number): number =>
  Math.min(Math.max(length - trained, 0), count - 1)
