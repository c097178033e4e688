/**
 * @file Tiny models with stretched positions, from Hugging Face's folder to a GGUF file and back: the same frequencies,
 * amplitude and logits, for texts below the trained length, at it and beyond; and what llama.cpp would compute otherwise is
 * not written.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rotaryOf, type DecoderFields } from '../../evals/models/decoder-config.ts'
import { phi3, phi3Rotary } from '../../evals/models/families/phi3.ts'
import type { JsonObject } from '../../evals/files/read-file.ts'
import { requireSameComputation } from '../../evals/models/formats/gguf/check.ts'
import { ggufConfig } from '../../evals/models/formats/gguf/config.ts'
import { readGgufHeader } from '../../evals/models/formats/gguf/header.ts'
import { loadModel } from '../../evals/models/load.ts'
import { sourcesOf } from '../../evals/models/model-sources.ts'
import {
  rotaryAmplitude,
  rotaryFrequencies,
  rotaryReach,
  stretchesOf,
  type RotaryConfig,
} from '../../evals/models/rotary.ts'
import { writeGgufModel } from '../../evals/models/formats/gguf/write-gguf-model.ts'
import {
  batchOf,
  FIXTURES,
  goldenLogits,
  openGolden,
  type GoldenModel,
} from '../doubles/models/golden-llama.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-gguf-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Any tokenizer of as many tokens. */
const LETTERS = join(FIXTURES, 'gguf', 'llama.gguf')
/** Of the batch of 15, 10 and 6 tokens, whose texts are read alone. */
const [TRAINED, LONGEST] = [10, 40]

/** The fixture with weights as the file will have them, and with other settings. */
async function changed(name: string, change: JsonObject): Promise<GoldenModel> {
  const { model, weights, expected } = await openGolden(name)
  const stored = [...weights].map(([weight, values]): [string, Float32Array] => [
    weight,
    model.weights.get(weight)!.shape.length === 1 ? values : values.map(Math.f16round),
  ])
  const config = { ...(model.config as JsonObject), ...change }
  return { model: { ...model, config }, weights: new Map(stored), expected }
}

async function written({ model, weights }: GoldenModel, name: string): Promise<string> {
  const path = join(folder, `${name}.gguf`)
  await writeGgufModel(path, {
    path: name,
    sources: await sourcesOf(LETTERS),
    model,
    form: 'F16',
    name,
    read: (weight) => weights.get(weight)!,
    exception: null,
  })
  return path
}

type RotaryIn = ((config: JsonObject) => RotaryConfig) | null
/** By architecture, where it is not Llama's spelling; families whose settings have another place are told by their logits. */
const ROTARY: Readonly<Record<string, RotaryIn>> = {
  phi3: (config) => phi3Rotary(config as Parameters<typeof phi3Rotary>[0]),
  'gpt-neox': null,
  gemma3: null,
}
const rotaryOfLlama: RotaryIn = (config) => rotaryOf(config as unknown as DecoderFields)

/** Everything that a graph takes from the settings, as the float32 that it is there. */
function computed(config: RotaryConfig) {
  const { trained, count } = stretchesOf(config, LONGEST)
  const stretches = Array.from({ length: count }, (_, stretch) => stretch)
  return {
    trained,
    reach: rotaryReach(config),
    amplitude: rotaryAmplitude(config),
    frequencies: stretches.map((each) => new Float32Array(rotaryFrequencies(config, each))),
  }
}

const yarn = (settings: JsonObject, theta = 2): JsonObject => ({
  rope_parameters: {
    rope_type: 'yarn',
    rope_theta: theta,
    original_max_position_embeddings: TRAINED,
    ...settings,
  },
})
const DIVISORS = { short_factor: [1, 1.1, 1.3, 1.7], long_factor: [1.2, 2.118320672, 3.5, 6] }
const longrope = (settings: JsonObject): JsonObject => ({
  rope_parameters: {
    rope_type: 'longrope',
    rope_theta: 10000,
    original_max_position_embeddings: TRAINED,
    ...DIVISORS,
    ...settings,
  },
})

/** Gemma 3's layers that see all are stretched, those with a window are not. */
const gemma3 = (settings: JsonObject): JsonObject => ({
  rope_parameters: {
    full_attention: { rope_type: 'yarn', rope_theta: 2, factor: 4, ...settings },
    sliding_attention: { rope_type: 'default', rope_theta: 10000 },
  },
  query_pre_attn_scalar: 16,
})

const CASES: readonly (readonly [name: string, change: JsonObject])[] = [
  ['llama-yarn', yarn({ factor: 4 })],
  ['llama-yarn', yarn({ factor: 4, beta_fast: 32, beta_slow: 1, truncate: true })],
  // Here 31 turns for 32, or 1.1 for 1, would be another ramp.
  ['llama-yarn', yarn({ factor: 4, original_max_position_embeddings: 465 }, 30)],
  ['llama-yarn', yarn({ factor: 3.3 })],
  ['llama-yarn', yarn({ original_max_position_embeddings: 12 })],
  ['llama-yarn', yarn({ factor: 4, attention_factor: 1.3 })],
  ['llama-yarn', yarn({ factor: 4, attention_factor: 1 })],
  ['llama-yarn', yarn({ factor: 4, attention_factor: 0.1 * Math.log(4) + 1 })],
  [
    'llama-yarn',
    { rope_parameters: null, rope_theta: 2, rope_scaling: { type: 'yarn', factor: 2 } },
  ],
  ['qwen2-yarn', yarn({ factor: 4, finetuned: true })],
  ['qwen3-yarn', {}],
  ['mixtral-experts', { ...yarn({ factor: 4 }), max_position_embeddings: LONGEST }],
  ['smollm3-norope', { ...yarn({ factor: 4 }), no_rope_layers: [1, 1, 1, 0] }],
  [
    'gpt-neox-parallel',
    {
      rope_scaling: { type: 'yarn', factor: 4 },
      rope_parameters: null,
      rotary_emb_base: 2,
      rotary_pct: 0.5,
    },
  ],
  ['gemma3-local', gemma3({ original_max_position_embeddings: TRAINED })],
  ['llama-longrope', {}],
  ['llama-longrope', longrope({})],
  ['llama-longrope', longrope({ attention_factor: 1.2345678901 })],
  ['mixtral-experts', { ...longrope({}), max_position_embeddings: LONGEST }],
  ['phi3-longrope', {}],
  [
    'phi3-longrope',
    {
      rope_parameters: null,
      rope_theta: 1e4,
      rope_scaling: { type: 'su', ...DIVISORS },
      partial_rotary_factor: 0.5,
    },
  ],
]

describe.each(CASES)('%s with %j', (name, change) => {
  test('has the same frequencies, amplitude and logits as a file', async () => {
    const folderModel = await changed(name, change)
    const batch = batchOf(folderModel.expected)
    const { model, weights, open } = await loadModel(await written(folderModel, name))
    try {
      const [ours, again] = [folderModel.model.config, model.config] as [JsonObject, JsonObject]
      const { [model.architecture.name]: rotaryIn = rotaryOfLlama } = ROTARY
      if (rotaryIn) expect(computed(rotaryIn(again))).toEqual(computed(rotaryIn(ours)))
      const file = { model, weights: new Map(weights), expected: folderModel.expected }
      const [expected, found] = [
        await goldenLogits(folderModel, batch),
        await goldenLogits(file, batch),
      ]
      expect(found.every((value, i) => Object.is(value, expected[i]))).toBe(true)
    } finally {
      await open.close()
    }
  })
})

test('a text beyond the trained length is read by other divisors, so the tests above can fail', async () => {
  const { short_factor } = DIVISORS
  const usual = await changed('llama-longrope', longrope({}))
  const other = await changed('llama-longrope', longrope({ long_factor: short_factor }))
  const batch = batchOf(usual.expected)
  const [a, b] = [await goldenLogits(usual, batch), await goldenLogits(other, batch)]
  const size = a.length / 3
  const differs = [15, TRAINED, 6].map((length, row) => {
    const own = a.subarray(row * size, row * size + (size / 15) * length)
    return own.some((value, i) => value !== b[row * size + i])
  })
  expect(differs).toEqual([true, false, false])
})

test('YaRN’s and longrope’s keys are llama.cpp’s', async () => {
  const keysOf = async (name: string, change: JsonObject) => {
    const { metadata, tensors } = await readGgufHeader(
      await written(await changed(name, change), name),
    )
    const keys = [...metadata].filter(([key]) => key.includes('rope.scaling'))
    const factors = tensors.filter((tensor) => tensor.name.startsWith('rope'))
    return [Object.fromEntries(keys), factors.map((tensor) => [tensor.name, tensor.dimensions])]
  }
  expect(await keysOf('llama-yarn', yarn({ factor: 4 }))).toEqual([
    {
      'llama.rope.scaling.type': 'yarn',
      'llama.rope.scaling.factor': 4,
      'llama.rope.scaling.original_context_length': TRAINED,
    },
    [],
  ])
  expect(await keysOf('phi3-longrope', {})).toEqual([
    {
      'phi3.rope.scaling.type': 'longrope',
      'phi3.rope.scaling.original_context_length': TRAINED,
      'phi3.rope.scaling.attn_factor': Math.fround(Math.sqrt(1 + Math.log(4) / Math.log(10))),
    },
    [
      ['rope_factors_long.weight', [4]],
      ['rope_factors_short.weight', [4]],
    ],
  ])
})

test('a file that lost the divisors of long texts would be another graph', async () => {
  const { model } = await changed('phi3-longrope', {})
  const family = phi3.gguf!
  const config = model.config as JsonObject
  const planned = {
    path: 'phi3',
    model,
    family,
    settings: family.rules.flatMap((rule) => rule.write(config, 'phi3')),
    extras: family.rules.flatMap((rule) => rule.tensors?.(config, 'phi3') ?? []),
  }
  expect(() => requireSameComputation(planned)).not.toThrow()
  const data = () => Float32Array.from(DIVISORS.short_factor)
  const extras = planned.extras.map((extra) => ({ ...extra, data }))
  const refused = expect.objectContaining({ code: 'export.unsupported' }) as Error
  expect(() => requireSameComputation({ ...planned, extras })).toThrow(refused)
})

test('Phi-3 with YaRN, by which its config.json means longrope, is not read', async () => {
  const path = join(FIXTURES, 'gguf', 'phi3-longrope.gguf')
  const { open, model } = await loadModel(path)
  await open.close()
  const { metadata } = await readGgufHeader(path)
  const read = (type: string, extras: ReadonlyMap<string, Float32Array>) => {
    const settings = new Map([
      ...[...metadata].filter(([key]) => !key.includes('attn_factor')),
      ...([
        ['phi3.rope.scaling.type', type],
        ['phi3.rope.scaling.factor', 4],
      ] as const),
    ])
    const weights = open.checkpoint.weights
    return ggufConfig(path, phi3.gguf!, settings, { weights, extras })
  }
  expect(read('none', new Map()).model_type).toBe(model.architecture.name)
  expect(() => read('yarn', new Map())).toThrow(/for this family rotary scaling "yarn"/)
})

describe('what llama.cpp would compute otherwise is not written', () => {
  test.each<[string, JsonObject, RegExp]>([
    ['llama-yarn', {}, /yarn, beta_fast 0\.5, beta_slow 0\.05/],
    ['qwen2-yarn', {}, /yarn, beta_fast 0\.5, beta_slow 0\.05, truncate false/],
    ['llama-yarn', yarn({ factor: 4, truncate: false }), /yarn, truncate false/],
    [
      'llama-yarn',
      yarn({ factor: 4, original_max_position_embeddings: 1 }),
      /yarn.*a ramp that rises/,
    ],
    ['qwen2-yarn', longrope({}), /rotary scaling longrope/],
    ['llama-dynamic', {}, /rotary scaling dynamic/],
    // What float32 of the quotient of two amplitudes cannot give back.
    ['llama-yarn', yarn({ factor: 4, attention_factor: 1.3333333333 }), /rope_parameters/],
    ['gemma3-local', gemma3({ attention_factor: 1.3 }), /attn_factor/],
  ])('%s with %j', async (name, change, message) => {
    const model = await changed(name, change)
    const error: unknown = await written(model, name).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'export.unsupported' })
    expect((error as Error).message).toMatch(message)
  })
})
