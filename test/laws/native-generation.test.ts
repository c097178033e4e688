/**
 * @file The law of resident generation: with the addon and without it answers, scores and caches are the same bits, also where keys and
 * values are kept in fewer bits, alone and in the cells of a server’s pool.
 */
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { CachedSession } from '../../evals/inference/cached-graph.ts'
import type { SmallCache } from '../../evals/graph/ops/small-cache.ts'
import { createPool } from '../../evals/inference/serving/pool.ts'
import type { CacheData } from '../../evals/inference/small-cache.ts'
import { load } from '../../evals/native/load.ts'
import { randomIds, tinyModel } from '../doubles/models/tiny-model.ts'

const found = load()
const title = found.addon
  ? 'resident generation'
  : `resident generation (skipped: ${found.why}; npm run build:native, which needs a C++ compiler)`

const tiny = tinyModel({
  hidden: 64,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  inner: 96,
  vocab: 128,
  seed: 6,
})
const prompts = [3, 17, 1, 40, 8, 22, 5].map((length, i) => ({
  key: `prompt ${i}`,
  ids: randomIds(`prompt ${i}`, length, tiny.options.vocab),
}))

/** The room as it is loaded where the addon is switched on or off. */
async function inferenceWith(state: 'on' | 'off', cache?: SmallCache) {
  vi.stubEnv('TOUCHSTONE_NATIVE', state)
  vi.resetModules()
  const { load: loadAgain } = await import('../../evals/native/load.ts')
  expect(loadAgain().addon !== undefined).toBe(state === 'on')
  const [{ emptyCache, openCached }, { generate }, { scoreTexts }, feeds, paged] =
    await Promise.all([
      import('../../evals/inference/cached-graph.ts'),
      import('../../evals/inference/generate.ts'),
      import('../../evals/inference/score.ts'),
      import('../../evals/inference/feeds.ts'),
      import('../../evals/inference/serving/paged-session.ts'),
    ])
  const model = { model: tiny.model, frozen: tiny.weights }
  const device = { name: 'cpu', threads: 2, ...(cache && { cache }) } as const
  const session = await openCached(model, device, 64)
  const openPaged = () => paged.openPaged(model, [], device, 64)
  return { session, openPaged, emptyCache, generate, scoreTexts, ...feeds }
}
type Inference = Awaited<ReturnType<typeof inferenceWith>>

const shared = (session: CachedSession) => ({
  ...{ session, varying: {}, padId: 0, batchSize: 4, signal: new AbortController().signal },
})

async function answers({ session, generate }: Inference, temperature: number) {
  const decoding = { maxNewTokens: 12, temperature, seed: 3 }
  const all = []
  const options = { ...shared(session), decoding, endIds: new Set([5, 9, 77]) }
  for await (const some of generate(prompts, options)) all.push(...some)
  return all.sort((a, b) => a.index - b.index)
}

/** Two rows of unlike length are read, and a token more is written: what the cache holds then. */
async function caches({ session, emptyCache, prefill, decode }: Inference) {
  const cache = emptyCache(session.cache, 2, 50)
  const read = prefill([prompts[3]!, prompts[4]!], 50, 0)
  await session.run('next', { ...cache.past, ...read }, cache.present)
  await session.run('next', { ...cache.past, ...decode([7, 8], [40, 8]) }, cache.present)
  return Object.entries(cache.past).map(([name, { data, dims }]) => {
    const [, kvHeads, capacity, headDim] = dims as [number, number, number, number]
    const row = (b: number, length: number) =>
      Array.from({ length: kvHeads }, (_, head) => {
        const start = (b * kvHeads + head) * capacity * headDim
        return Array.from((data as CacheData).subarray(start, start + length * headDim))
      })
    return [name, row(0, 41), row(1, 9)]
  })
}

/** Two prompts read into cells that lie apart, and a token more of each: their logits. */
async function served({ openPaged, prefill, decode }: Inference) {
  const session = openPaged()
  const pool = createPool(session.cache, 100)
  const asked = [prompts[3]!, prompts[4]!]
  const cellsOf = (b: number) => Int32Array.from({ length: 42 }, (_, t) => 2 * t + b)
  const lengths = asked.map(({ ids }) => ids.length)
  const read = lengths.map((count, b) => ({ cells: cellsOf(b), from: 0, count }))
  const first = await session.run(pool, read, prefill(asked, 40, 0), {})
  const prompted = [...first.logits]
  const write = lengths.map((from, b) => ({ cells: cellsOf(b), from, count: 1 }))
  const { logits } = await session.run(pool, write, decode([7, 8], lengths), {})
  const written = [...logits]
  await session.release()
  return { prompted, written }
}

describe.skipIf(!found.addon)(title, () => {
  afterEach(() => {
    vi.unstubAllEnvs()
    vi.resetModules()
  })

  test.each([undefined, 'float16', 'int8'] as const)(
    'answers, greedy and sampled, scores and caches: %s',
    async (cache) => {
      const results = []
      for (const state of ['on', 'off'] as const) {
        const inference = await inferenceWith(state, cache)
        const { session, scoreTexts } = inference
        const texts = prompts.map((prompt) => ({ ...prompt, from: 1 }))
        results.push({
          greedy: await answers(inference, 0),
          sampled: await answers(inference, 1),
          scores: await scoreTexts(texts, shared(session)),
          caches: await caches(inference),
        })
        await session.release()
      }
      expect(results[1]).toEqual(results[0])
      expect(results[0]!.caches).toHaveLength(cache === 'int8' ? 8 : 4)
      expect(new Set(results[0]!.greedy.map(({ stop }) => stop)).size).toBe(2)
    },
  )

  test.each(['float16', 'int8'] as const)(
    'replies from the cells of a pool in %s',
    async (cache) => {
      const [on, off] = [await inferenceWith('on', cache), await inferenceWith('off', cache)]
      const results = [await served(on), await served(off)]
      expect(results[1]).toEqual(results[0])
      expect(results[0]!.prompted).toHaveLength(2 * tiny.options.vocab)
      const exact = await served(await inferenceWith('off'))
      expect(exact.written).not.toEqual(results[0]!.written)
    },
  )

  test('what a run extends is the memory that it was given, not a copy', async () => {
    const { session, emptyCache, prefill } = await inferenceWith('on')
    const cache = emptyCache(session.cache, 2, 8)
    const feeds = prefill([prompts[0]!, prompts[4]!], 8, 0)
    const results = await session.run('next', { ...cache.past, ...feeds }, cache.present)
    for (const [name, { data }] of Object.entries(cache.present))
      expect(results[name]!.data).toBe(data)
    await session.release()
  })

  test('the event loop turns while a prompt is read', async () => {
    const { session, emptyCache, prefill } = await inferenceWith('on')
    const cache = emptyCache(session.cache, 64, 60)
    const long = Array.from({ length: 64 }, () => prompts[3]!)
    let turns = 0
    const counting = setInterval(() => turns++, 1)
    await session.nodes('next')
    turns = 0
    await session.run('next', { ...cache.past, ...prefill(long, 60, 0) }, cache.present)
    clearInterval(counting)
    expect(turns).toBeGreaterThan(0)
    await session.release()
  })
})
