/**
 * @file GGUF files that llama.cpp's converter made of tiny random models: do we get transformers' logits, and do we write such
 * files again (test/golden/README.md)?
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JsonObject } from '../../evals/files/read-file.ts'
import { GGUF_FAMILIES } from '../../evals/models/registry.ts'
import { readGgufHeader } from '../../evals/models/formats/gguf/header.ts'
import { loadModel, type LoadedModel } from '../../evals/models/load.ts'
import { sourcesOf } from '../../evals/models/model-sources.ts'
import type { Model } from '../../evals/models/registry.ts'
import { writeGgufModel, type GgufForm } from '../../evals/models/formats/gguf/write-gguf-model.ts'
import {
  batchOf,
  FIXTURES,
  goldenLogits,
  openGolden,
  worstLogit,
} from '../doubles/models/golden-llama.ts'
import { readOracle } from '../doubles/models/safetensors.ts'

const { cases } = JSON.parse(readFileSync(join(FIXTURES, 'gguf/cases.json'), 'utf8')) as {
  cases: string[]
}
const fileOf = (name: string) => join(FIXTURES, 'gguf', `${name}.gguf`)
const oracleOf = (name: string) => readOracle(join(FIXTURES, 'gguf', `${name}.safetensors`))

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-gguf-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function loaded<T>(path: string, use: (model: LoadedModel) => Promise<T>): Promise<T> {
  const model = await loadModel(path)
  try {
    return await use(model)
  } finally {
    await model.open.close()
  }
}

async function written(name: string, form: GgufForm, change: JsonObject = {}): Promise<string> {
  const path = join(folder, `${name}-${form}.gguf`)
  await loaded(fileOf(name), async ({ model, weights }) => {
    const changed: Model = { ...model, config: { ...(model.config as JsonObject), ...change } }
    await writeGgufModel(path, {
      path: fileOf(name),
      sources: await sourcesOf(fileOf(name)),
      model: changed,
      form,
      name,
      read: (weight) => weights.get(weight)!,
      exception: null,
    })
  })
  return path
}

test('every family of the registry has a fixture', async () => {
  const found = await Promise.all(
    cases.map((name) =>
      loaded(fileOf(name), async ({ open }) => open.checkpoint.config.model_type),
    ),
  )
  const readAs = GGUF_FAMILIES.map(({ modelType }) => modelType)
  expect([...new Set(found)].sort()).toEqual(readAs.toSorted())
})

describe.each(cases)('%s', (name) => {
  test('logits are transformers’ within 1e-5', async () => {
    const expected = oracleOf(name)
    await loaded(fileOf(name), async ({ model, weights }) => {
      const golden = { model, weights: new Map(weights), expected }
      const logits = await goldenLogits(golden, batchOf(expected))
      expect(worstLogit(logits, expected)).toBeLessThan(1e-5)
    })
  })

  test('what is written is read as the same model, in float16 once rounded', async () => {
    const again = await written(name, 'F16')
    await loaded(fileOf(name), (first) =>
      loaded(again, async (second) => {
        expect(second.model.config).toEqual(first.model.config)
        expect([...second.weights.keys()].sort()).toEqual([...first.weights.keys()].sort())
        for (const [weight, values] of first.weights) {
          const { shape } = first.model.weights.get(weight)!
          const { storage } = second.open.checkpoint.weights.get(weight)!
          expect(storage).toBe(
            shape.length === 1 || /gate\.weight|wpe/.test(weight) ? 'F32' : 'F16',
          )
          const rounded = storage === 'F32' ? values : Float32Array.from(values, Math.f16round)
          expect(second.weights.get(weight), weight).toEqual(rounded)
        }
      }),
    )
  })

  test('the settings and tensors of what is written are those of llama.cpp’s converter', async () => {
    const [theirs, ours] = [
      await readGgufHeader(fileOf(name)),
      await readGgufHeader(await written(name, 'F16')),
    ]
    const shapes = (header: typeof theirs) =>
      header.tensors.map((tensor) => [tensor.name, tensor.dimensions]).sort()
    expect(shapes(ours)).toEqual(shapes(theirs))
    for (const [key, value] of theirs.metadata) {
      const isOfModel = !/^(?:general|tokenizer)\./u.test(key)
      if (isOfModel) expect([key, ours.metadata.get(key)]).toEqual([key, value])
    }
  })
})

describe('a model that the format has no words for is not written', () => {
  const refusal = async (attempt: Promise<unknown>) =>
    attempt.then(
      () => ({ code: 'written', message: '' }),
      (error: unknown) => error as { code: string; message: string },
    )

  test.each<[string, JsonObject, RegExp]>([
    [
      'qwen2',
      { use_sliding_window: true, sliding_window: 3, max_window_layers: 1 },
      /sliding_window 3/,
    ],
    ['smollm3', { no_rope_layer_interval: 2 }, /no_rope_layer_interval 2/],
    ['gemma2', { query_pre_attn_scalar: 24 }, /query_pre_attn_scalar 24/],
    ['gemma2', { attn_logit_softcapping: null }, /attn_logit_softcapping null/],
    ['gpt-neox', { hidden_act: 'silu' }, /hidden_act "silu"/],
    ['gpt2', { activation_function: 'gelu' }, /activation_function "gelu"/],
    ['qwen3', { rope_scaling: { rope_type: 'llama3', factor: 8 } }, /rotary scaling llama3/],
    ['llama', { rope_scaling: { rope_type: 'dynamic', factor: 2 } }, /rotary scaling dynamic/],
  ])('%s with %j', async (name, change, message) => {
    const { code, message: said } = await refusal(written(name, 'F16', change))
    expect(code).toBe('export.unsupported')
    expect(said).toMatch(message)
  })

  test('a Mistral with a window', async () => {
    const { model, weights } = await openGolden('mistral-window')
    const attempt = writeGgufModel(join(folder, 'mistral.gguf'), {
      path: 'mistral',
      sources: await sourcesOf(fileOf('mistral')),
      model,
      form: 'F16',
      name: 'mistral',
      exception: null,
      read: (weight) => weights.get(weight)!,
    })
    const { code, message } = await refusal(attempt)
    expect(code).toBe('export.unsupported')
    expect(message).toMatch(/sliding_window 4/)
  })
})

test('windows that stand otherwise than usual, and a stretched Gemma 3, are written and read', async () => {
  const kinds = ['full', 'sliding', 'full', 'full', 'sliding', 'full', 'sliding']
  const layer_types = kinds.map((kind) => `${kind}_attention`)
  const rope_scaling = { rope_type: 'linear', factor: 8 }
  const path = await written('gemma3', 'F16', { layer_types, rope_scaling })
  await loaded(path, async ({ model }) => {
    expect(model.config).toMatchObject({ layer_types, rope_scaling })
  })
})
