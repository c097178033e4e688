/** @file PEFT’s X-LoRA folders (make-x-lora.py): the same logits to 1e-4, by the whole text and through the caches; wrong folders. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { emptyCache, openCached } from '../../evals/inference/cached-graph.ts'
import { scoreTexts } from '../../evals/inference/score.ts'
import { mixtureIn } from '../../evals/measure/derived/mixture.ts'
import { writeMixtureFolder } from '../../evals/models/formats/mixture-folder.ts'
import { bind } from '../../evals/finetune/method.ts'
import { writeSafetensors } from '../../evals/models/formats/safetensors-write.ts'
import { FIXTURES, openGolden } from '../doubles/models/golden-llama.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'

const device = { name: 'cpu', threads: 1 } as const
const FOLDER = join(FIXTURES, 'x-lora')
const TYPE = 'XLORA'
const expected = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as {
  ids: number[]
  logits: Record<string, number[]>
}
const golden = await openGolden('llama-untied-gqa')

type State = Awaited<ReturnType<typeof mixtureIn>>['state']

/** log p(next token) of the text’s tokens after the first. */
const logProbsOf = (logits: readonly number[]): number[] => {
  const vocab = logits.length / expected.ids.length
  return expected.ids.slice(1).map((id, t) => {
    const row = logits.slice(t * vocab, (t + 1) * vocab)
    return row[id]! - Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0))
  })
}

async function scored(state: State): Promise<Float32Array> {
  const session = await openCached(state, device, 16)
  const text = { key: 'text', ids: expected.ids, from: 1 }
  const rest = { varying: {}, padId: 0, batchSize: 1, signal: new AbortController().signal }
  const [found] = await scoreTexts([text], { ...rest, session })
  await session.release()
  return found!
}

/** Logits of every token, each read by itself on the caches of both passes. */
async function byToken(state: State): Promise<number[]> {
  const session = await openCached(state, device, 16)
  const { past, present } = emptyCache(session.cache, 1, 16)
  const one = (value: number, dims: number[]) => ({ data: Int32Array.of(value), dims })
  const logits: number[] = []
  for (const [t, id] of expected.ids.entries()) {
    const feeds = {
      ...past,
      tokens: one(id, [1, 1]),
      positions: one(t, [1, 1]),
      last: one(t, [1]),
      total: one(t + 1, [1]),
      rows: one(0, [1]),
    }
    const results = await session.run('sampled', feeds, present)
    logits.push(...(results.logits!.data as Float32Array))
  }
  await session.release()
  return logits
}

const worst = (found: ArrayLike<number>, wanted: readonly number[]): number =>
  Math.max(...wanted.map((x, i) => Math.abs(x - found[i]!)))

describe.each(Object.keys(expected.logits))('%s', (name) => {
  const wanted = expected.logits[name]!

  test('its logits are PEFT’s, token by token through both caches, and in one run', async () => {
    const { state } = await mixtureIn(golden, join(FOLDER, name), TYPE)
    const logits = await byToken(state)
    expect(logits).toHaveLength(wanted.length)
    expect(worst(logits, wanted)).toBeLessThan(1e-4)
    expect(worst(await scored(state), logProbsOf(wanted))).toBeLessThan(1e-4)
  })
})

test('written again and read, it is the same mixture', async () => {
  const { method, state } = await mixtureIn(golden, join(FOLDER, 'deep-layerwise'), TYPE)
  const { settings } = state.method as ReturnType<typeof bind>
  const bound = bind(method, settings)
  const names = [...state.frozen.keys()].filter((name) => !golden.model.weights.has(name))
  const shapeOf = (name: string, size: number) => {
    if (name.endsWith('.bias')) return [size]
    const rows = name.includes('classifier')
      ? state.frozen.get(name.replace('weight', 'bias'))!.length
      : 0
    const spec = golden.model.weights.get(name.replace(/experts_[AB]$/u, 'weight'))
    const [out, input] = spec?.shape ?? [rows, size / rows]
    return name.endsWith('experts_A') ? [size / input!, input!] : [out!, size / out!]
  }
  const parameters = new Map(
    names.map((name) => {
      const data = state.frozen.get(name)!
      return [name, { shape: shapeOf(name, data.length), data }]
    }),
  )
  const folder = join(freshFolder(), 'again')
  await writeMixtureFolder(folder, bound.toMixture!(parameters, 'llama-untied-gqa'))
  const again = await mixtureIn(golden, folder, TYPE)
  expect(await scored(again.state)).toEqual(await scored(state))
})

describe('a wrong folder is a named error', () => {
  const copied = () => {
    const folder = freshFolder()
    cpSync(FOLDER, folder, { recursive: true })
    return folder
  }
  const opened = (folder: string, name = 'raw') => mixtureIn(golden, join(folder, name), TYPE)
  const rewritten = (folder: string, change: (config: Record<string, unknown>) => void) => {
    const path = join(folder, 'raw', 'adapter_config.json')
    const config = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    change(config)
    writeFileSync(path, JSON.stringify(config))
  }

  test('without an adapter that it names', async () => {
    const folder = copied()
    rmSync(join(folder, 'b'), { recursive: true })
    await expect(opened(folder)).rejects.toMatchObject({ code: 'mixture.folder' })
  })

  test('with one adapter alone', async () => {
    const folder = copied()
    rewritten(folder, (config) => (config.adapters = { '0': '../a' }))
    await expect(opened(folder)).rejects.toMatchObject({ code: 'mixture.too-few' })
  })

  test('with a pass value that PEFT ignores', async () => {
    const folder = copied()
    rewritten(folder, (config) => (config.scaling_pass_value = 0.5))
    await expect(opened(folder)).rejects.toThrow(/scaling_pass_value/u)
  })

  test.each([
    ['of other sizes', (shape: number[]) => [shape[0]! + 1, ...shape.slice(1)], 0.5],
    ['that are not finite', (shape: number[]) => shape, Number.NaN],
  ])('with a classifier whose numbers are %s', async (_, shapeOf, value) => {
    const folder = copied()
    const hidden = golden.model.weights.get('model.norm.weight')!.shape[0]!
    const tensor = (name: string, shape: number[]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b)).fill(value)
      return { name: `base_model.internal_xlora_classifier.layers.0.${name}`, shape, data }
    }
    const tensors = [tensor('weight', shapeOf([3, hidden])), tensor('bias', [3])]
    await writeSafetensors(join(folder, 'raw', 'adapter_model.safetensors'), tensors)
    await expect(opened(folder)).rejects.toMatchObject({ code: 'mixture.folder' })
  })

  test('without a classifier', async () => {
    const folder = copied()
    rmSync(join(folder, 'as-saved', '0'), { recursive: true })
    await expect(opened(folder, 'as-saved')).rejects.toThrow(/has no internal_xlora_classifier/u)
  })

  test('with adapters of another base', async () => {
    const other = await openGolden('llama-tied')
    await expect(mixtureIn(other, join(FOLDER, 'raw'), TYPE)).rejects.toMatchObject({
      code: expect.stringMatching(/adapter\.other-base|mixture\.folder/u) as string,
    })
  })
})
