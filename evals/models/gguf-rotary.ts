/** @file Rotary positions in GGUF: base, how much of a head turns, and scaling, which for Llama 3 is a tensor of divisors. */
import { TouchstoneError } from '../errors.ts'
import { headDimOf, rotaryOf, type DecoderFields } from './families/decoder-config.ts'
import { malformed, type JsonObject } from './files.ts'
import type { FamilyFile, GgufRule } from './gguf-family.ts'
import { rotaryFrequencies, type RotaryConfig } from './rotary.ts'

export const ROTARY_FACTORS = 'rope_freqs.weight'

const DEFAULT_THETA = 10000

export interface RotaryRuleOptions {
  /** Of a parsed configuration; Llama's spelling where nothing is said. */
  readonly of?: (config: JsonObject) => RotaryConfig
  /** The setting that says what part of each head turns, where not all of it must. */
  readonly share?: string
  /** Whether divisors may be read and written (`rope_freqs.weight`). */
  readonly divisors?: true
}

export const decoderFieldsOf = (config: JsonObject) => config as unknown as DecoderFields

const SCALING_KEYS = ['rope.scaling.type', 'rope.scaling.factor'] as const

export function rotary(options: RotaryRuleOptions = {}): GgufRule {
  const { of = (config) => rotaryOf(decoderFieldsOf(config)), share, divisors } = options
  return {
    keys: ['rope.freq_base', 'rope.dimension_count', ...SCALING_KEYS],
    read(file, config) {
      const theta = file.real('rope.freq_base', DEFAULT_THETA)
      const headDim = headDimOf(decoderFieldsOf(config))
      const turned = turnedOf(file, headDim, share !== undefined)
      const factors = file.extras.get(ROTARY_FACTORS)
      return {
        rope_theta: theta,
        ...(share !== undefined && { [share]: turned / headDim }),
        rope_scaling: factors
          ? llama3Scaling(file.path, factors, theta, headDim)
          : readScaling(file),
      }
    },
    write(config, path) {
      const { theta, rotaryDim, scaling } = of(config)
      const kind = kindOf(scaling)
      if (kind === 'llama3' && divisors !== true) throw unwritable(path, kind)
      return [
        ['rope.freq_base', { type: 'f32', value: theta }],
        ['rope.dimension_count', { type: 'u32', value: rotaryDim }],
        ...writeScaling(scaling, path),
      ]
    },
    tensors(config) {
      const { scaling } = of(config)
      if (kindOf(scaling) !== 'llama3') return []
      const values = divisorsOf(of(config))
      const data = () => Promise.resolve(values)
      return [{ name: ROTARY_FACTORS, shape: [values.length], storage: 'F32', data }]
    },
  }
}

/** How many numbers of a head turn. */
export function turnedOf(file: FamilyFile, headDim: number, mayBePart: boolean): number {
  const turned = file.whole('rope.dimension_count', headDim)
  if (turned % 2 !== 0 || turned > headDim) {
    throw malformed(file.path, `rope.dimension_count = ${turned}`, `an even part of ${headDim}`)
  }
  // A part is kept as a share, which must give it back.
  const isPart = mayBePart && Math.trunc(headDim * (turned / headDim)) === turned
  if (turned === headDim || isPart) return turned
  throw unsupported(file.path, 'rotary positions for', `${turned} of ${headDim} numbers of a head`)
}

const kindOf = (scaling: RotaryConfig['scaling']) =>
  scaling?.rope_type ?? scaling?.type ?? 'default'

/** Llama 3's scaling is written as divisors, beside these fields. */
export function writeScaling(
  scaling: RotaryConfig['scaling'],
  path: string,
): ReturnType<GgufRule['write']> {
  const kind = kindOf(scaling)
  if (kind === 'default' || kind === 'llama3') return []
  if (kind !== 'linear') throw unwritable(path, kind)
  return [
    ['rope.scaling.type', { type: 'string', value: 'linear' }],
    ['rope.scaling.factor', { type: 'f32', value: scaling!.factor ?? 1 }],
  ]
}

export function readScaling(file: FamilyFile): JsonObject | null {
  const type = file.get('rope.scaling.type') ?? 'none'
  if (type === 'none') return null
  if (type === 'linear') return { rope_type: 'linear', factor: file.real('rope.scaling.factor') }
  throw unsupported(file.path, 'rotary scaling', String(type).slice(0, 40))
}

const unsupported = (path: string, what: string, found: string) =>
  new TouchstoneError('checkpoint.unsupported', {
    ...{ path, what, found },
    supported: 'rotary positions for whole heads, plain, linear or Llama 3’s',
  })

const unwritable = (path: string, kind: string) =>
  new TouchstoneError('export.unsupported', {
    ...{ path, form: 'GGUF', found: `rotary scaling ${kind}` },
    supported: 'linear scaling, and llama3 for Llamas',
  })

/** By how much each frequency is divided, `[head_dim / 2]`. */
function divisorsOf(config: RotaryConfig): Float32Array {
  const plain = rotaryFrequencies({ ...config, scaling: null })
  const scaled = rotaryFrequencies(config)
  return Float32Array.from(plain, (frequency, i) => frequency / scaled[i]!)
}

const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4 }
/** What Llama 3's models were trained with before they were stretched; the file does not say which. */
const TRAINED = [8192, 4096, 16384, 32768, 2048]

/**
 * Llama 3's scaling from its divisors: 1 for short wavelengths, `factor` for long ones, between them
 * 1 / ((1 − s) / factor + s) with s = (trained / wavelength − 1) / 3. Other divisors are refused.
 */
function llama3Scaling(path: string, divisors: Float32Array, theta: number, headDim: number) {
  const factor = Math.round(divisors.reduce((largest, value) => Math.max(largest, value), 1))
  const scaled = (original_max_position_embeddings: number) => ({
    ...{ rope_type: 'llama3', factor, ...LLAMA3, original_max_position_embeddings },
  })
  const agrees = (scaling: ReturnType<typeof scaled>) => {
    const expected = divisorsOf({ theta, rotaryDim: headDim, scaling, maxPositions: Infinity })
    return expected.every((value, i) => Math.abs(value - divisors[i]!) <= 1e-4 * value)
  }
  const found = divisors.length === headDim / 2 ? TRAINED.map(scaled).find(agrees) : undefined
  if (found) return found
  throw unsupported(path, 'rotary scaling other than Llama 3’s in', ROTARY_FACTORS)
}
