/** @file Weights that stay in their file give, bit for bit, what the same numbers in memory give: asked, tuned and trained. */
import { appendFileSync, cpSync, mkdirSync, renameSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeBatch } from '../../../evals/finetune/training/dataset.ts'
import { bindMethod } from '../../../evals/finetune/registry.ts'
import { openTraining } from '../../../evals/finetune/training/train-graph.ts'
import { emptyCache, openCached } from '../../../evals/inference/cached-graph.ts'
import { prefill } from '../../../evals/inference/feeds.ts'
import { loadModel, type LoadedModel } from '../../../evals/models/load.ts'
import {
  LazyWeights,
  openedWith,
  overlaid,
  smallOf,
  without,
} from '../../../evals/models/weights/small-weights.ts'
import { writeRandomModel } from '../../bench/harness/random-model.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'
import { tinyExamples } from '../../doubles/training/tiny-training.ts'

const VOCAB = 128
const SIZE = { hidden: 64, layers: 2, heads: 4, kvHeads: 2, intermediate: 96, vocab: VOCAB }
const device = { name: 'cpu', threads: 2 } as const

type Storage = 'F32' | 'F16' | 'BF16'
type Weights = ReadonlyMap<string, Float32Array>

async function written(storage: Storage, folder = freshFolder()): Promise<string> {
  const path = await writeTinyCheckpoint(folder, { tokenizer: 'word' })
  await writeRandomModel(path, SIZE, 5, storage)
  return path
}

/** Tokens, log-probabilities and every number of the cache. */
async function answers({ model }: Pick<LoadedModel, 'model'>, frozen: Weights) {
  const session = await openCached({ model, frozen }, device, 64)
  const prompts = [{ ids: Array.from({ length: 33 }, (_, i) => (7 * i) % VOCAB) }, { ids: [7, 1] }]
  const { past, present } = emptyCache(session.cache, 2, 40)
  const { token, logProb } = await session.run(
    'next',
    { ...past, ...prefill(prompts, 34, 0) },
    present,
  )
  await session.release()
  const caches = Object.values(present).flatMap(({ data }) => [...(data as Float32Array)])
  return {
    tokens: [...(token!.data as Int32Array)],
    logProbs: [...(logProb!.data as Float32Array)],
    caches,
  }
}

const inMemory = (weights: Weights): Weights => new Map(weights)

describe.each(['F32', 'F16', 'BF16'] as const)('%s', (storage) => {
  let loaded: LoadedModel
  beforeAll(async () => {
    loaded = await loadModel(await written(storage))
  })
  afterAll(() => loaded.open.close())

  test('every weight stays where it lies, and none is small', () => {
    const { weights, model } = loaded
    expect(weights).toBeInstanceOf(LazyWeights)
    for (const name of model.weights.keys())
      expect(openedWith(weights, name), name).toMatchObject({ storage })
    expect(smallOf(weights)).toBeUndefined()
  })

  test('answers', async () => {
    const found = await answers(loaded, loaded.weights)
    expect(found).toEqual(await answers(loaded, inMemory(loaded.weights)))
    expect(found.caches.filter((value) => value !== 0).length).toBeGreaterThan(1000)
  })

  test('answers with some weights changed', async () => {
    const name = 'model.layers.1.mlp.up_proj.weight'
    const changed = new Map([[name, loaded.weights.get(name)!.map((x) => 3 * x)]])
    const found = await answers(loaded, overlaid(loaded.weights, changed))
    const whole = inMemory(loaded.weights)
    expect(found).toEqual(await answers(loaded, overlaid(whole, changed)))
    expect(found).not.toEqual(await answers(loaded, whole))
  })

  test.each(['lora', 'full', 'dora', 'ggpo'])('trains: %s', async (name) => {
    const method = bindMethod({ name, config: {} })
    const train = async (weights: Weights) => {
      const session = await openTraining({
        ...{ model: loaded.model, weights, method },
        seed: 3,
        maxPositions: 32,
        device,
        data: { examples: tinyExamples(VOCAB), padId: 0 },
      })
      const { loss, flat } = await session.gradients(makeBatch(tinyExamples(VOCAB), 0))
      const layout = session.layout.sites.map((site) => [
        ...session.layout.weight(`${site.name}.weight`).subarray(0, 8),
      ])
      const numbers = { loss, flat: [...flat], layout }
      await session.release()
      return numbers
    }
    expect(await train(loaded.weights)).toEqual(await train(inMemory(loaded.weights)))
  })

  test('leaving some out leaves the others where they lie', () => {
    const gone = new Set(['model.norm.weight'])
    const rest = without(loaded.weights, gone)
    expect(rest.has('model.norm.weight')).toBe(false)
    expect(rest.size).toBe(loaded.weights.size - 1)
    expect(openedWith(rest, 'model.embed_tokens.weight')).toMatchObject({ storage })
  })
})

test('a file behind a link, as in a download cache, is read where it lies', async () => {
  const path = await written('BF16')
  const folder = freshFolder()
  mkdirSync(folder, { recursive: true })
  cpSync(path, join(folder, 'snapshot'), { recursive: true })
  const file = join(folder, 'snapshot', 'model.safetensors')
  mkdirSync(join(folder, 'blobs'))
  renameSync(file, join(folder, 'blobs', 'ab12'))
  symlinkSync(join('..', 'blobs', 'ab12'), file)
  const [linked, plain] = [await loadModel(dirname(file)), await loadModel(path)]
  expect(openedWith(linked.weights, 'model.norm.weight')).toHaveProperty('file')
  expect(await answers(linked, linked.weights)).toEqual(await answers(plain, plain.weights))
  await Promise.all([linked.open.close(), plain.open.close()])
})

test('a file that is replaced while the model is open is not read by its path', async () => {
  const path = await written('BF16')
  const loaded = await loadModel(path)
  const before = inMemory(loaded.weights)
  const expected = await answers(loaded, before)
  await writeRandomModel(path, SIZE, 6, 'BF16')
  expect(openedWith(loaded.weights, 'model.norm.weight')).toBeInstanceOf(Float32Array)
  expect(new Map(loaded.weights)).toEqual(before)
  expect(await answers(loaded, loaded.weights)).toEqual(expected)
  await loaded.open.close()
})

test('nor is one that was written to', async () => {
  const path = await written('F32')
  const { open, weights } = await loadModel(path)
  appendFileSync(join(path, 'model.safetensors'), 'x')
  expect(openedWith(weights, 'model.norm.weight')).toHaveLength(SIZE.hidden)
  await open.close()
})

test('a kept state of a model that was closed says so', async () => {
  const path = await written('F32')
  const { open, weights } = await loadModel(path)
  await open.close()
  expect(() => weights.get('model.norm.weight')).toThrow('read after the checkpoint was closed')
})
