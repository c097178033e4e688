/** @file Stretched positions in GGUF files made here: what is read as config.json's settings, and what is refused by name. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TouchstoneError } from '../../../../../evals/errors/touchstone-error.ts'
import { openModel } from '../../../../../evals/models/open-model.ts'
import { recognise } from '../../../../../evals/models/registry.ts'
import type { GgufField, GgufTensorToWrite } from '../../../../doubles/models/tiny-gguf.ts'
import {
  ggufBytes,
  tinyGgufMetadata,
  tinyGgufTensors,
} from '../../../../doubles/models/tiny-gguf.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-gguf-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Half of the tiny Llama's heads of 64. */
const PAIRS = 32
const LONG = 'rope_factors_long.weight'
const SHORT = 'rope_factors_short.weight'

type Settings = Readonly<Record<string, string | number>>
type Factors = Readonly<Record<string, readonly number[]>>
interface Change {
  readonly settings?: Settings
  readonly factors?: Factors
  readonly further?: readonly GgufTensorToWrite[]
}

const fieldOf = (key: string, value: string | number): GgufField => {
  if (typeof value === 'string') return { type: 'string', value }
  return { type: key.endsWith('context_length') ? 'u32' : 'f32', value }
}

const tensorOf = ([name, values]: readonly [string, readonly number[]]): GgufTensorToWrite => ({
  name,
  dimensions: [values.length],
  type: 0,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
})

/** A Llama of 128 positions with these settings below `llama.rope`, and these tensors. */
async function read({ settings = {}, factors = {}, further = [] }: Change) {
  const path = join(folder, 'tiny.gguf')
  const metadata = { ...tinyGgufMetadata() }
  for (const [key, value] of Object.entries(settings))
    metadata[`llama.rope.${key}`] = fieldOf(key, value)
  const tensors = [...tinyGgufTensors(), ...Object.entries(factors).map(tensorOf), ...further]
  await writeFile(path, ggufBytes(metadata, tensors))
  const open = await openModel(path)
  try {
    recognise(open.checkpoint)
    return open.checkpoint.config.rope_scaling
  } finally {
    await open.close()
  }
}

const each = (value: number, count = PAIRS) => new Array<number>(count).fill(value)
const BOTH = { [LONG]: each(4), [SHORT]: each(1.5) }
const YARN = { 'scaling.type': 'yarn', 'scaling.factor': 4 }
const LONGROPE = { 'scaling.type': 'longrope', 'scaling.original_context_length': 32 }

describe('is read as', () => {
  test.each<[string, Change, unknown]>([
    ['nothing', {}, null],
    [
      'nothing, though a factor stands there',
      { settings: { 'scaling.type': 'none', 'scaling.factor': 4 } },
      null,
    ],
    [
      'linear without a kind',
      { settings: { 'scaling.factor': 4 } },
      { rope_type: 'linear', factor: 4 },
    ],
    [
      'linear under its older key',
      { settings: { scale_linear: 8 } },
      { rope_type: 'linear', factor: 8 },
    ],
    [
      'YaRN over the context length',
      { settings: YARN },
      { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 128 },
    ],
    [
      'YaRN with what llama.cpp takes anyway',
      {
        settings: {
          ...YARN,
          'scaling.original_context_length': 32,
          'scaling.attn_factor': 1,
          'scaling.yarn_ext_factor': 1,
          'scaling.yarn_beta_fast': 32,
          'scaling.yarn_beta_slow': 1,
          'scaling.yarn_attn_factor': 0.1 * Math.log(4) + 1,
        },
      },
      { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 },
    ],
    [
      'YaRN by the quotient of two lengths',
      { settings: { ...YARN, 'scaling.factor': 128 / 48, 'scaling.original_context_length': 48 } },
      { rope_type: 'yarn', factor: 128 / 48, original_max_position_embeddings: 48 },
    ],
    [
      'YaRN with another amplitude',
      { settings: { ...YARN, 'scaling.attn_factor': 1.3 / (0.1 * Math.log(4) + 1) } },
      {
        rope_type: 'yarn',
        factor: 4,
        original_max_position_embeddings: 128,
        attention_factor: 1.3,
      },
    ],
    [
      'longrope',
      { settings: { ...LONGROPE, 'scaling.attn_factor': 1.19 }, factors: BOTH },
      {
        rope_type: 'longrope',
        original_max_position_embeddings: 32,
        attention_factor: 1.19,
        long_factor: each(4),
        short_factor: each(1.5),
      },
    ],
    [
      'longrope by its tensors alone, whose amplitude is 1',
      { factors: BOTH },
      {
        rope_type: 'longrope',
        original_max_position_embeddings: 128,
        attention_factor: 1,
        long_factor: each(4),
        short_factor: each(1.5),
      },
    ],
  ])('%s', async (_, change, expected) => {
    expect(await read(change)).toEqual(expected)
  })
})

describe('is refused', () => {
  const refusal = async (change: Change): Promise<TouchstoneError> => {
    const error: unknown = await read(change).catch((caught: unknown) => caught)
    if (error instanceof TouchstoneError) return error as TouchstoneError
    throw new Error('it was taken', { cause: error })
  }
  const longrope = (settings: Settings, factors: Factors = BOTH): Change => ({
    ...{ settings: { ...LONGROPE, ...settings }, factors },
  })
  const yarn = (settings: Settings): Change => ({ settings: { ...YARN, ...settings } })
  const with32 = (value: number) => [...each(1.5, PAIRS - 1), value]

  test.each<[string, Change, RegExp]>([
    [
      'betas that llama.cpp passes over',
      yarn({ 'scaling.yarn_beta_fast': 8 }),
      /yarn_beta_fast "8"/,
    ],
    ['the same at the other end', yarn({ 'scaling.yarn_beta_slow': 2 }), /yarn_beta_slow "2"/],
    ['less extrapolation', yarn({ 'scaling.yarn_ext_factor': 0.5 }), /yarn_ext_factor "0.5"/],
    ['mscale_all_dim', yarn({ 'scaling.yarn_log_multiplier': 1 }), /yarn_log_multiplier "1"/],
    [
      'an amplitude that llama.cpp passes over',
      yarn({ 'scaling.yarn_attn_factor': 1 }),
      /yarn_attn_factor "1".*1\.138/,
    ],
    [
      'a trained length at which both compute another ramp',
      yarn({ 'scaling.original_context_length': 1 }),
      /original_context_length for YaRN "1"/,
    ],
    [
      'a factor beside longrope’s tensors',
      longrope({ 'scaling.factor': 4 }),
      /longrope the setting rope\.scaling\.factor "4"/,
    ],
    [
      'YaRN beside longrope’s tensors',
      { settings: YARN, factors: BOTH },
      /yarn beside "rope_factors_long/,
    ],
    [
      'an amplitude without stretching',
      { settings: { 'scaling.attn_factor': 1.2 } },
      /attn_factor "1\.2/,
    ],
    ['an amplitude of nothing', { settings: { 'scaling.attn_factor': 0 } }, /attn_factor "0"/],
    [
      'linear beside Llama 3’s divisors',
      { settings: { 'scaling.factor': 4 }, factors: { 'rope_freqs.weight': each(8) } },
      /linear beside "rope_freqs/,
    ],
    [
      'a kind of another world',
      { settings: { 'scaling.type': 'toString' } },
      /"toString".*linear, yarn/,
    ],
    ['config.json’s name of none', { settings: { 'scaling.type': 'default' } }, /"default"/],
  ])('%s, as unsupported', async (_, change, message) => {
    const { code, message: said } = await refusal(change)
    expect(said).toMatch(message)
    expect(code).toBe('checkpoint.unsupported')
  })

  test.each<[string, Change, RegExp]>([
    [
      'YaRN without a factor',
      { settings: { 'scaling.type': 'yarn' } },
      /scaling\.factor = undefined/,
    ],
    ['an absurd factor', yarn({ 'scaling.factor': 1e30 }), /rope\.scaling\.factor = 1e\+30.*1024/],
    ['a factor below zero', yarn({ 'scaling.factor': -4 }), /scaling\.factor = -4/],
    ['a factor of no number', yarn({ 'scaling.factor': NaN }), /scaling\.factor = NaN/],
    ['an absurd linear factor', { settings: { scale_linear: 4096 } }, /scale_linear = 4096/],
    ['a trained length of nothing', yarn({ 'scaling.original_context_length': 0 }), /_length = 0/],
    ['an amplitude below zero', yarn({ 'scaling.attn_factor': -1 }), /attn_factor = -1/],
    ['longrope without tensors', longrope({}, {}), /longrope without "rope_factors_short/],
    [
      'the tensor of long texts alone',
      longrope({}, { [LONG]: each(4) }),
      /longrope without "rope_factors_short/,
    ],
    [
      'the tensor of short texts alone',
      { factors: { [SHORT]: each(1.5) } },
      /longrope without "rope_factors_long/,
    ],
    [
      'too few factors',
      longrope({}, { ...BOTH, [LONG]: each(4, 31) }),
      /31 numbers in "rope_factors_long.*32, one a pair/,
    ],
    [
      'too many factors',
      longrope({}, { ...BOTH, [SHORT]: each(4, 64) }),
      /64 numbers in "rope_factors_short/,
    ],
    ['a divisor of zero', longrope({}, { ...BOTH, [LONG]: with32(0) }), /0 in "rope_factors_long/],
    ['a divisor below zero', longrope({}, { ...BOTH, [LONG]: with32(-2) }), /-2 in "rope_factors/],
    ['a divisor of no number', longrope({}, { ...BOTH, [SHORT]: with32(NaN) }), /NaN in "rope_f/],
    ['a divisor without end', longrope({}, { ...BOTH, [SHORT]: with32(Infinity) }), /Infinity in/],
    [
      'a tensor twice',
      { ...longrope({}), further: [tensorOf([LONG, each(2)])] },
      /"rope_factors_long\.weight" twice/,
    ],
  ])('%s, as malformed', async (_, change, message) => {
    const { code, message: said } = await refusal(change)
    expect(said).toMatch(message)
    expect(code).toBe('checkpoint.malformed')
  })
})
