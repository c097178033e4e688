/** @file Rotary positions in GGUF: base, rotary dimension, and scaling, which for Llama 3 is a tensor of divisors. */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { headDimOf, rotaryOf, type DecoderFields } from '../../decoder-config.ts'
import { malformed, type JsonObject } from '../../../files/read-file.ts'
import type { FamilyFile, GgufRule } from './family.ts'
import {
  factorTensor,
  kindIn,
  kindOf,
  LONG_FACTORS,
  readScaling,
  SCALING_KEYS,
  scalingTensors,
  SHORT_FACTORS,
  unwritable,
  writeScaling,
  type Unscaled,
} from './scaling.ts'
import { rotaryFrequencies, type RotaryConfig } from '../../rotary.ts'

const DIVISORS = 'rope_freqs.weight'

/** Scaling tensors a family may have: Llama 3's divisors; longrope's for long and for short texts. */
export const DIVISOR_TENSORS = {
  llama3: [DIVISORS],
  longrope: [LONG_FACTORS, SHORT_FACTORS],
} as const

const DEFAULT_THETA = 10000

interface RotaryRuleOptions {
  /** From a parsed configuration; Llama's fields if absent. */
  readonly of?: (config: JsonObject) => RotaryConfig
  /** The config.json setting for the rotated share of a head, in families that allow partial rotation. */
  readonly share?: string
  /** Kinds of scaling stored as tensors that the family supports. */
  readonly divisors?: readonly (keyof typeof DIVISOR_TENSORS)[]
  /** A kind of scaling that the family's config.json cannot express. */
  readonly lacks?: 'yarn'
}

export const decoderFieldsOf = (config: JsonObject) => config as unknown as DecoderFields

const ofLlama = (config: JsonObject) => rotaryOf(decoderFieldsOf(config))

export function rotary(options: RotaryRuleOptions = {}): GgufRule {
  const { of = ofLlama, share, divisors = [], lacks } = options
  return {
    keys: ['rope.freq_base', 'rope.dimension_count', ...SCALING_KEYS],
    read(file, config) {
      const theta = file.real('rope.freq_base', DEFAULT_THETA)
      const headDim = headDimOf(decoderFieldsOf(config))
      const turned = turnedOf(file, headDim, share !== undefined)
      if (lacks !== undefined && kindIn(file) === lacks)
        throw unsupported(file.path, 'for this family rotary scaling', lacks)
      return {
        rope_theta: theta,
        ...(share !== undefined && { [share]: turned / headDim }),
        rope_scaling: scalingOf(file, config, { theta, rotaryDim: turned }),
      }
    },
    write(config, path) {
      const found = of(config)
      const kind = kindOf(found.scaling)
      if (kind in DIVISOR_TENSORS && !divisors.some((known) => known === kind))
        throw unwritable(path, `rotary scaling ${kind}`)
      return [
        ['rope.freq_base', { type: 'f32', value: found.theta }],
        ['rope.dimension_count', { type: 'u32', value: found.rotaryDim }],
        ...(kind === 'llama3' ? [] : writeScaling(found, path)),
      ]
    },
    tensors(config) {
      const found = of(config)
      if (kindOf(found.scaling) !== 'llama3') return scalingTensors(found)
      return [factorTensor(DIVISORS, divisorsOf(found))]
    },
  }
}

function scalingOf(
  file: FamilyFile,
  config: JsonObject,
  { theta, rotaryDim }: Omit<Unscaled, 'maxPositions'>,
): JsonObject | null {
  const maxPositions = decoderFieldsOf(config).max_position_embeddings
  const scaling = readScaling(file, { theta, rotaryDim, maxPositions })
  const divisors = file.extras.get(DIVISORS)
  if (!divisors) return scaling
  if (scaling === null) return llama3Scaling(file.path, divisors, theta, rotaryDim)
  throw unsupported(file.path, `rotary scaling ${kindIn(file)} beside`, DIVISORS)
}

/** Text length up to which longrope uses its short divisors; 0 without longrope. */
export function longropeTrained(config: JsonObject): number {
  const fields = decoderFieldsOf(config)
  const scaling = fields.rope_parameters ?? fields.rope_scaling
  if (!scaling?.long_factor) return 0
  const { original_max_position_embeddings: inside } = scaling
  return fields.original_max_position_embeddings ?? inside ?? 0
}

/** Rotary dimension of a head. */
export function turnedOf(file: FamilyFile, headDim: number, mayBePart: boolean): number {
  const turned = file.whole('rope.dimension_count', headDim)
  if (turned % 2 !== 0 || turned > headDim) {
    throw malformed(file.path, `rope.dimension_count = ${turned}`, `an even part of ${headDim}`)
  }
  // A partial rotation is stored as a share, which must give it back.
  const isPart = mayBePart && Math.trunc(headDim * (turned / headDim)) === turned
  if (turned === headDim || isPart) return turned
  throw unsupported(file.path, 'rotary positions for', `${turned} of ${headDim} numbers of a head`)
}

const unsupported = (path: string, what: string, found: string) =>
  new TouchstoneError('checkpoint.unsupported', {
    path,
    what,
    found,
    supported: 'rotary positions for whole heads, and one kind of scaling',
  })

/** Divisor of each frequency, `[head_dim / 2]`. */
function divisorsOf(config: RotaryConfig): Float32Array {
  const plain = rotaryFrequencies({ ...config, scaling: null })
  const scaled = rotaryFrequencies(config)
  return Float32Array.from(plain, (frequency, i) => frequency / scaled[i]!)
}

const LLAMA3 = { low_freq_factor: 1, high_freq_factor: 4 }
/** Trained lengths of Llama 3's models, which the file does not state. */
const TRAINED = [8192, 4096, 16384, 32768, 2048]

/**
 * Recovers Llama 3's scaling from its divisors: 1 for short wavelengths, `factor` for long ones, between them 1 / ((1 − s)
 * / factor + s) with s = (trained / wavelength − 1) / 3. Refuses other divisors.
 */
function llama3Scaling(path: string, divisors: Float32Array, theta: number, headDim: number) {
  const factor = Math.round(divisors.reduce((largest, value) => Math.max(largest, value), 1))
  const scaled = (original_max_position_embeddings: number) => ({
    rope_type: 'llama3',
    factor,
    ...LLAMA3,
    original_max_position_embeddings,
  })
  const agrees = (scaling: ReturnType<typeof scaled>) => {
    const expected = divisorsOf({ theta, rotaryDim: headDim, scaling, maxPositions: Infinity })
    return expected.every((value, i) => Math.abs(value - divisors[i]!) <= 1e-4 * value)
  }
  const found = divisors.length === headDim / 2 ? TRAINED.map(scaled).find(agrees) : undefined
  if (found) return found
  throw unsupported(path, 'rotary scaling other than Llama 3’s in', DIVISORS)
}
