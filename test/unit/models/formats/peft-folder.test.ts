/** @file Adapter folders: written as PEFT writes them, read strictly. */
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PeftFolder } from '../../../../evals/models/formats/peft-folder.ts'
import { rankOf, scaleOf } from '../../../../evals/models/formats/peft-config.ts'
import { readPeftFolder, writePeftFolder } from '../../../../evals/models/formats/peft-folder.ts'
import { readSafetensorsIndex } from '../../../../evals/models/formats/safetensors.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-peft-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const Q = 'model.layers.0.self_attn.q_proj'
const adapter: PeftFolder = {
  config: { base: 'house/model', rank: 2, alpha: 8, targetModules: ['v_proj', 'q_proj'] },
  tensors: new Map([
    [`${Q}.lora_A.weight`, { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }],
    [`${Q}.lora_B.weight`, { shape: [4, 2], data: new Float32Array(8).fill(0.5) }],
  ]),
}

const codeOf = () =>
  readPeftFolder(folder).then(
    () => 'read',
    (error: unknown) => (error as { code?: string }).code ?? `not ours: ${String(error)}`,
  )

async function changeConfig(change: Record<string, unknown>) {
  const path = join(folder, 'adapter_config.json')
  const config = JSON.parse(await readFile(path, 'utf8')) as object
  await writeFile(path, JSON.stringify({ ...config, ...change }))
}

describe('an adapter', () => {
  test('comes back as it was written', async () => {
    await writePeftFolder(folder, adapter)
    const { config, tensors } = await readPeftFolder(folder)
    expect(config).toMatchObject({ base: 'house/model', rank: 2, alpha: 8, useRslora: false })
    expect(config.targetModules).toEqual(['q_proj', 'v_proj'])
    expect(new Map(tensors)).toEqual(new Map(adapter.tensors))
  })

  test('has PEFT’s keys and settings', async () => {
    await writePeftFolder(folder, adapter)
    const { weights } = await readSafetensorsIndex(join(folder, 'adapter_model.safetensors'))
    expect(weights.map(({ name }) => name)).toEqual([
      `base_model.model.${Q}.lora_A.weight`,
      `base_model.model.${Q}.lora_B.weight`,
    ])
    const config: unknown = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8'))
    expect(config).toMatchObject({
      peft_type: 'LORA',
      task_type: 'CAUSAL_LM',
      r: 2,
      lora_alpha: 8,
      bias: 'none',
      target_modules: ['q_proj', 'v_proj'],
      base_model_name_or_path: 'house/model',
    })
  })

  test('takes rank and alpha of a module from the patterns', async () => {
    await writePeftFolder(folder, adapter)
    await changeConfig({
      r: 16,
      rank_pattern: { 'self_attn.q_proj': 2 },
      alpha_pattern: { [`^${Q}`]: 6 },
      use_rslora: true,
    })
    const { config } = await readPeftFolder(folder)
    expect(rankOf(config, Q)).toBe(2)
    expect(rankOf(config, 'other_q_proj')).toBe(16)
    expect(scaleOf(config, Q)).toBe(6 / Math.sqrt(2))
    expect(scaleOf({ ...config, useRslora: false }, 'k_proj')).toBe(8 / 16)
  })

  test('names its modules itself where the targets are a pattern', async () => {
    await writePeftFolder(folder, adapter)
    await changeConfig({ target_modules: '.*_proj' })
    expect((await readPeftFolder(folder)).config.targetModules).toEqual(['q_proj'])
  })

  test('of DoRA needs its magnitudes', async () => {
    const magnitude = { shape: [4], data: new Float32Array(4).fill(1) }
    await writePeftFolder(folder, {
      config: { ...adapter.config, useDora: true },
      tensors: new Map([...adapter.tensors, [`${Q}.lora_magnitude_vector`, magnitude]]),
    })
    expect((await readPeftFolder(folder)).tensors.size).toBe(3)
    await changeConfig({ use_dora: false })
    expect(await codeOf()).toBe('checkpoint.malformed')
  })
})

test('modules that were trained whole keep their names, and are asked for where they are named', async () => {
  const head = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }
  const saved = new Map([['classifier.out_proj.weight', head]])
  await writePeftFolder(folder, { ...adapter, saved })
  const read = await readPeftFolder(folder)
  expect(read.saved).toEqual(saved)
  expect(new Map(read.tensors)).toEqual(new Map(adapter.tensors))
  const config: unknown = JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8'))
  expect(config).toMatchObject({ modules_to_save: ['classifier'], task_type: 'SEQ_CLS' })
  await changeConfig({ modules_to_save: ['score'] })
  expect(await codeOf()).toBe('checkpoint.malformed')
  await changeConfig({ modules_to_save: null })
  expect(await codeOf()).toBe('checkpoint.unsupported')
})

describe('refused by name', () => {
  test.each([
    ['another method', { peft_type: 'IA3' }],
    ['tokens trained alone', { trainable_token_indices: [1] }],
    ['an option from the future', { use_warp: true }],
    ['a rank of nothing', { r: 0 }],
    ['a pattern that could run for ever', { rank_pattern: { '(a+)+$': 2 } }],
  ])('%s', async (_, change) => {
    await writePeftFolder(folder, adapter)
    await changeConfig(change)
    expect(await codeOf()).toBe('checkpoint.unsupported')
  })

  test('a rank that is not that of the weights', async () => {
    await writePeftFolder(folder, adapter)
    await changeConfig({ r: 3 })
    expect(await codeOf()).toBe('checkpoint.malformed')
  })

  test('a missing half', async () => {
    await writePeftFolder(folder, {
      ...adapter,
      tensors: new Map([...adapter.tensors].slice(0, 1)),
    })
    expect(await codeOf()).toBe('checkpoint.malformed')
  })

  test('a pickle', async () => {
    await writePeftFolder(folder, adapter)
    await rename(join(folder, 'adapter_model.safetensors'), join(folder, 'adapter_model.bin'))
    expect(await codeOf()).toBe('checkpoint.pickle')
  })

  test('an empty folder', async () => {
    expect(await codeOf()).toBe('checkpoint.not-found')
  })
})
