/** @file A pool whose keys and values are kept in fewer bits, beside adapters in float32: replies are those of such a session alone, to the bit. */
import { describe, expect, test } from 'vitest'
import { openCached } from '../../../../evals/inference/cached-graph.ts'
import { generate } from '../../../../evals/inference/generate.ts'
import { kindOf } from '../../../../evals/inference/serving/adapter-slots.ts'
import { createBatcher } from '../../../../evals/inference/serving/batcher.ts'
import { openPaged } from '../../../../evals/inference/serving/paged-session.ts'
import { cellBytes, createPool } from '../../../../evals/inference/serving/pool.ts'
import { rowBytes } from '../../../../evals/inference/slots.ts'
import { keptCache } from '../../../../evals/inference/small-cache.ts'
import { openStack } from '../../../../evals/inference/stack.ts'
import { cacheOf } from '../../../../evals/models/registry.ts'
import { adapterOf, modules, tiny, VOCAB } from '../../../doubles/models/tiny-adapters.ts'
import { randomIds } from '../../../doubles/models/tiny-model.ts'

const LONGEST = 64
const prompts = [5, 1, 30, 12].map((length, i) => randomIds(`prompt ${i}`, length, VOCAB))
const changes = adapterOf(0, 8)
const state = { model: tiny.model, frozen: tiny.weights }
const { signal } = new AbortController()

type Kept = 'float16' | 'int8'
const deviceWith = (cache?: Kept) => ({ name: 'cpu', threads: 2, ...(cache && { cache }) }) as const

function openBatch(cache: Kept | undefined, rows: number, cells = 6000) {
  const layers = keptCache(cacheOf(tiny.model), cache)
  const ranks = new Map([...changes].map(([name, { rank }]) => [name, rank]))
  const kind = kindOf(ranks, tiny.model.weights, 'stack0', layers)
  const session = openPaged(state, [kind], deviceWith(cache), LONGEST)
  const pool = createPool(session.cache, cells)
  const batcher = createBatcher({
    ...{ session, pool, kinds: [kind], threads: 2, endIds: new Set<number>(), padId: 0 },
    limits: { cells, rows, promptTokens: 256 },
    ...{ mostWaiting: 100, firstTokenMs: null, clock: () => 0 },
  })
  const adapter = { name: 'adapter', kind, load: () => Promise.resolve(changes) }
  const ask = async (ids: readonly number[], isAdapted: boolean, scoresPrompt = false) => {
    const found: number[] = []
    const logProbs: number[] = []
    const { prompt } = await batcher.write({
      ...{ ids, adapter: isAdapted ? adapter : undefined, scoresPrompt, signal },
      ...{ maxNewTokens: 8, temperature: 0, topP: 1, seed: 0, stream: 'talk', top: 0 },
      onToken({ id, score }) {
        found.push(id)
        logProbs.push(score!.logProb)
        return false
      },
    })
    return { found, logProbs, prompt }
  }
  const close = async () => (await batcher.close(), session.release())
  return { ask, kind, pool, close }
}

/** Tokens of a session that is asked alone. */
async function alone(cache: Kept, isAdapted: boolean): Promise<(readonly number[])[]> {
  const stack = isAdapted
    ? await openStack(state, new Set(modules), deviceWith(cache), LONGEST)
    : undefined
  const session = stack?.with([changes]) ?? (await openCached(state, deviceWith(cache), LONGEST))
  const found: (readonly number[])[] = []
  const rows = prompts.map((ids, i) => ({ key: String(i), ids }))
  for await (const batch of generate(rows, {
    ...{ session, varying: {}, endIds: new Set<number>(), padId: 0, batchSize: 4, signal },
    decoding: { maxNewTokens: 8, temperature: 0, seed: 0 },
  }))
    for (const { index, writtenIds } of batch) found[index] = writtenIds
  await (stack ?? session).release()
  return found
}

describe.each(['float16', 'int8'] as const)('cells of %s', (cache) => {
  test('a reply has the bits that it has alone, and the tokens of a session with such a cache', async () => {
    const [full, single] = [openBatch(cache, 16), openBatch(cache, 1)]
    for (const isAdapted of [false, true]) {
      const together = await Promise.all(prompts.map((ids) => full.ask(ids, isAdapted)))
      for (const [i, ids] of prompts.entries())
        expect(await single.ask(ids, isAdapted)).toEqual(together[i])
      expect(together.map(({ found }) => found)).toEqual(await alone(cache, isAdapted))
    }
    expect(full.pool.free).toBe(full.pool.size - full.kind.cells)
    await full.close()
    await single.close()
  })

  test('log-probabilities are near those of float32 and not theirs; a prompt is scored too', async () => {
    const [small, exact] = [openBatch(cache, 16), openBatch(undefined, 16)]
    const [a, b] = [
      await small.ask(prompts[2]!, true, true),
      await exact.ask(prompts[2]!, true, true),
    ]
    const off = a.prompt!.map(({ logProb }, t) => Math.abs(logProb - b.prompt![t]!.logProb))
    expect(off).toHaveLength(prompts[2]!.length - 1)
    expect(Math.max(...off)).toBeGreaterThan(0)
    expect(Math.max(...off)).toBeLessThan(cache === 'int8' ? 0.2 : 0.01)
    await small.close()
    await exact.close()
  })

  test('a cell has the bytes of a token, and an adapter is stored in float32', async () => {
    const { pool, kind, close } = openBatch(cache, 1)
    const layers = keptCache(cacheOf(tiny.model), cache)
    expect(cellBytes(layers)).toBe(rowBytes(layers, 1))
    expect(cellBytes(layers)).toBeLessThan(cellBytes(cacheOf(tiny.model)))
    const cells = pool.take(kind.cells)!
    const numbers = Float32Array.from({ length: 50 }, (_, i) => i / 3)
    const place = { layer: 1, part: 'values', cells, offset: 7 } as const
    pool.write(place, numbers)
    const read = new Float32Array(50)
    pool.read(place, read)
    expect(read).toEqual(numbers)
    await close()
  })
})
