/** @file Weights that must be made are made once: the bits are those of weights made anew, and a damaged entry is never used. */
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { emptyCache, openCached } from '../../../../evals/inference/cached-graph.ts'
import { prefill } from '../../../../evals/inference/feeds.ts'
import type { WeightCache } from '../../../../evals/models/weights/converted-weights.ts'
import { loadModel, type LoadedModel } from '../../../../evals/models/load.ts'
import { sourcesOf } from '../../../../evals/models/model-sources.ts'
import { openedWith } from '../../../../evals/models/weights/small-weights.ts'
import { writeGgufModel } from '../../../../evals/models/formats/gguf/write-gguf-model.ts'
import { writeRandomModel } from '../../../bench/harness/random-model.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'
import { ROOT } from '../../../doubles/imports.ts'
import { writeTinyCheckpoint } from '../../../doubles/models/tiny-checkpoint.ts'
import { ggufBytes, tinyGgufMetadata, tinyGgufTensors } from '../../../doubles/models/tiny-gguf.ts'

const SIZE = { hidden: 64, layers: 2, heads: 4, kvHeads: 2, intermediate: 96, vocab: 300 }
const TOKENIZER = ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja']
const device = { name: 'cpu', threads: 2 } as const

async function quantised(seed = 5): Promise<string> {
  const folder = freshFolder()
  const path = await writeTinyCheckpoint(join(folder, 'source'), { tokenizer: 'byte' })
  await writeRandomModel(path, SIZE, seed, 'F32')
  const { open, model, weights } = await loadModel(path)
  const file = join(folder, 'model.gguf')
  const read = (name: string) => weights.get(name)!
  const sources = await sourcesOf(path)
  const form = 'Q8_0'
  await writeGgufModel(file, { path, sources, model, read, form, name: 'tiny', exception: null })
  await open.close()
  return file
}

async function conv1d(): Promise<string> {
  const folder = freshFolder()
  const tokenizer = await writeTinyCheckpoint(join(folder, 'tokenizer'), { tokenizer: 'word' })
  const path = join(folder, 'gpt2')
  cpSync(join(ROOT, 'test/golden/fixtures/gpt2-tied'), path, { recursive: true })
  for (const file of TOKENIZER) copyFileSync(join(tokenizer, file), join(path, file))
  return path
}

async function everyType(): Promise<string> {
  const path = join(freshFolder(), 'every-type.gguf')
  writeFileSync(path, ggufBytes(tinyGgufMetadata(), tinyGgufTensors()))
  return path
}

let cache: WeightCache & { problems: string[] }
beforeEach(() => {
  const problems: string[] = []
  const folder = join(freshFolder(), 'weights')
  cache = { folder, leastBytes: 0, problems, onProblem: (why) => problems.push(why) }
})
const entries = () => readdirSync(cache.folder).filter((name) => name !== 'key')
const onlyEntry = () => join(cache.folder, entries()[0]!)

async function withModel<T>(
  path: string,
  use: (loaded: LoadedModel) => T | Promise<T>,
  given: WeightCache | null = cache,
): Promise<T> {
  const loaded = await loadModel(path, 'fp32', given ?? undefined)
  try {
    return await use(loaded)
  } finally {
    await loaded.open.close()
  }
}

const bitsOf = ({ weights }: LoadedModel) =>
  Object.fromEntries(
    [...weights].map(([name, { buffer, byteOffset, byteLength }]) => [
      name,
      Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
    ]),
  )

/** Tokens, log-probabilities and every number of the cache. */
async function answers({ model, weights }: LoadedModel) {
  const session = await openCached({ model, frozen: weights }, device, 64)
  const prompts = [{ ids: Array.from({ length: 23 }, (_, i) => (7 * i) % 50) }, { ids: [7, 1] }]
  const { past, present } = emptyCache(session.cache, 2, 32)
  const fed = { ...past, ...prefill(prompts, 24, 0) }
  const { token, logProb } = await session.run('next', fed, present)
  await session.release()
  const caches = Object.values(present).flatMap(({ data }) => [...(data as Float32Array)])
  return { tokens: token!.data, logProbs: logProb!.data, caches }
}

describe.each([
  ['blocks of GGUF and rows in another order', quantised],
  ['matrices of GPT-2', conv1d],
  ['every type of GGUF', everyType],
])('%s', (_, written) => {
  test('the first and the second start give the bits of weights made anew, and map them', async () => {
    const path = await written()
    const anew = await withModel(path, bitsOf, null)
    const first = await withModel(path, bitsOf)
    const { ino } = statSync(onlyEntry())
    expect(entries()).toHaveLength(1)
    const second = await withModel(path, (loaded) => {
      for (const name of loaded.model.weights.keys())
        expect(openedWith(loaded.weights, name), name).toHaveProperty('file')
      return bitsOf(loaded)
    })
    expect(first).toEqual(anew)
    expect(second).toEqual(anew)
    expect(statSync(onlyEntry()).ino).toBe(ino)
    expect(cache.problems).toEqual([])
  })
})

test.each([
  ['blocks', quantised],
  ['turned matrices', conv1d],
])('%s: the same greedy tokens, log-probabilities and caches', async (_, written) => {
  const path = await written()
  const anew = await withModel(path, answers, null)
  expect(await withModel(path, answers)).toEqual(anew)
  expect(await withModel(path, answers)).toEqual(anew)
  expect(anew.caches.filter((value) => value !== 0).length).toBeGreaterThan(500)
})

test.each([
  ['cut short', (bytes: Buffer) => bytes.subarray(0, bytes.length - 4)],
  ['empty', () => Buffer.alloc(0)],
  ['with one bit turned', (bytes: Buffer) => ((bytes[bytes.length >> 1]! ^= 1), bytes)],
  ['with another tag', (bytes: Buffer) => ((bytes[bytes.length - 1]! ^= 1), bytes)],
  ['too long', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(64)])],
])('an entry that is %s is made again', async (_, damage) => {
  const path = await quantised()
  const whole = await withModel(path, bitsOf)
  const bytes = readFileSync(onlyEntry())
  writeFileSync(onlyEntry(), damage(Buffer.from(bytes)))
  expect(await withModel(path, bitsOf)).toEqual(whole)
  expect(readFileSync(onlyEntry()).equals(bytes)).toBe(true)
})

test('other weights have another entry, and the longest unused goes where the bytes do not suffice', async () => {
  const [one, other] = [await quantised(1), await quantised(2)]
  await withModel(one, () => undefined)
  const [first] = entries()
  utimesSync(onlyEntry(), new Date(1000), new Date(1000))
  const { size } = statSync(onlyEntry())
  cache = { ...cache, capacityBytes: 1.5 * size }
  const bits = await withModel(other, bitsOf)
  expect(bits).toEqual(await withModel(other, bitsOf, null))
  expect(entries()).toHaveLength(1)
  expect(entries()).not.toContain(first)
})

test('a start in between is a use: the other entry goes', async () => {
  const [one, other, third] = [await quantised(1), await quantised(2), await quantised(3)]
  await withModel(one, () => undefined)
  const [first] = entries()
  await withModel(other, () => undefined)
  for (const name of entries()) utimesSync(join(cache.folder, name), new Date(1000), new Date(1000))
  await withModel(one, () => undefined)
  cache = { ...cache, capacityBytes: 2.5 * statSync(onlyEntry()).size }
  await withModel(third, () => undefined)
  expect(entries()).toHaveLength(2)
  expect(entries()).toContain(first)
})

test('two that write one entry at a time both have it, and one is left', async () => {
  const path = await quantised()
  const anew = await withModel(path, bitsOf, null)
  const both = await Promise.all([withModel(path, bitsOf), withModel(path, bitsOf)])
  expect(both).toEqual([anew, anew])
  expect(entries()).toHaveLength(1)
  expect(await withModel(path, bitsOf)).toEqual(anew)
})

test('an entry that goes while a model is open is read on from what is open', async () => {
  const path = await quantised()
  await withModel(path, bitsOf)
  await withModel(path, async (loaded) => {
    const before = bitsOf(loaded)
    writeFileSync(`${onlyEntry()}.new`, '')
    renameSync(`${onlyEntry()}.new`, onlyEntry())
    expect(bitsOf(loaded)).toEqual(before)
    expect(await answers(loaded)).toEqual(await withModel(path, answers, null))
  })
})

test('a folder that cannot be used is said, and done without', async () => {
  const path = await quantised()
  mkdirSync(join(cache.folder, '..'), { recursive: true })
  writeFileSync(cache.folder, '')
  const bits = await withModel(path, bitsOf)
  expect(bits).toEqual(await withModel(path, bitsOf, null))
  expect(cache.problems).toHaveLength(1)
})

test('what is small, and what is larger than the bound, is made in memory', async () => {
  const path = await quantised()
  for (const given of [{ folder: cache.folder }, { ...cache, capacityBytes: 1000 }]) {
    await withModel(path, () => undefined, given)
    expect(() => entries()).toThrow('ENOENT')
  }
})
