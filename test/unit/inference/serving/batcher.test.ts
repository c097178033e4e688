/**
 * @file Requests for a base and its adapters in one running batch (S-LoRA): each is answered to the bit as alone, whoever comes
 * and goes beside it, and the pool is whole again afterwards.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCached } from '../../../../evals/inference/cached-graph.ts'
import { generate } from '../../../../evals/inference/generate.ts'
import { openStack, type LowRankChanges } from '../../../../evals/inference/stack.ts'
import { kindKey, kindOf, type Kind } from '../../../../evals/inference/serving/adapter-slots.ts'
import {
  createBatcher,
  type Asked,
  type Batcher,
  type BatcherOptions,
} from '../../../../evals/inference/serving/batcher.ts'
import { openPaged, type PagedSession } from '../../../../evals/inference/serving/paged-session.ts'
import { createPool } from '../../../../evals/inference/serving/pool.ts'
import { randomIds } from '../../../doubles/models/tiny-model.ts'
import { adapterOf, modules, tiny, VOCAB } from '../../../doubles/models/tiny-adapters.ts'

const RANKS = [8, 16, 8, 1]
const changes: readonly LowRankChanges[] = RANKS.map((rank, k) => adapterOf(k, rank))
const prompts = [5, 1, 30].map((length, i) => randomIds(`prompt ${i}`, length, VOCAB))
const ENDS = new Set([5, 9, 77])
const device = { name: 'cpu', threads: 2 } as const
const LONGEST = 64

let session: PagedSession
const kinds: Kind[] = []
const kindsOf: Kind[] = []
beforeAll(async () => {
  const { cache } = await openCached({ model: tiny.model, frozen: tiny.weights }, device, LONGEST)
  for (const each of changes) {
    const ranks = new Map([...each].map(([name, { rank }]) => [name, rank]))
    const known = kinds.findIndex((_, i) => kindKey(ranks) === keys[i])
    if (known < 0) {
      keys.push(kindKey(ranks))
      kinds.push(kindOf(ranks, tiny.model.weights, `stack${kinds.length}`, cache))
    }
    kindsOf.push(kinds[known < 0 ? kinds.length - 1 : known]!)
  }
  session = openPaged({ model: tiny.model, frozen: tiny.weights }, kinds, device, LONGEST)
})
const keys: string[] = []
afterAll(() => session.release())

function open(options: Partial<BatcherOptions> = {}, cells = 4000) {
  const pool = createPool(session.cache, cells)
  const limits = { cells, rows: 16, promptTokens: 256 }
  const clock = () => 0
  const batcher = createBatcher({
    ...{ session, pool, kinds, threads: 2, limits, endIds: ENDS, padId: 0, clock },
    ...{ mostWaiting: 1000, firstTokenMs: null },
    ...options,
  })
  return { batcher, pool }
}

interface Reply {
  readonly ids: number[]
  readonly logProbs: number[]
  readonly stop: string
}

async function ask(
  batcher: Batcher,
  ids: readonly number[],
  k: number | undefined,
  own: Partial<Asked> = {},
): Promise<Reply> {
  const found: number[] = []
  const logProbs: number[] = []
  const adapter =
    k === undefined
      ? undefined
      : { name: `adapter ${k}`, kind: kindsOf[k]!, load: async () => changes[k]! }
  const { stop } = await batcher.write({
    ...{ ids, adapter, maxNewTokens: 6, temperature: 0, topP: 1, seed: 0, stream: 'talk', top: 2 },
    signal: new AbortController().signal,
    onToken({ id, score }, isEnd) {
      if (!isEnd) found.push(id)
      logProbs.push(score!.logProb)
      return false
    },
    ...own,
  })
  return { ids: found, logProbs, stop }
}

const everyone = [undefined, ...RANKS.keys()]

async function together(batcher: Batcher): Promise<Reply[]> {
  return Promise.all(prompts.flatMap((ids) => everyone.map((k) => ask(batcher, ids, k))))
}

describe('T1 and T5: a reply depends on its request alone', () => {
  test('it has the same bits alone, in a full batch, and in another order', async () => {
    const full = open()
    const all = await together(full.batcher)
    expect(new Set(all.map((each) => JSON.stringify(each))).size).toBeGreaterThan(10)
    const single = open({ limits: { cells: 4000, rows: 1, promptTokens: 256 } })
    expect(await together(single.batcher)).toEqual(all)
    // An adapter that was read ahead is not read again when its request joins.
    expect(single.batcher.totals.loads).toBe(RANKS.length)
    const reversed = await Promise.all(
      prompts
        .flatMap((ids) => everyone.map((k) => ({ ids, k })))
        .toReversed()
        .map(({ ids, k }) => ask(full.batcher, ids, k)),
    )
    expect(reversed.toReversed()).toEqual(all)
  })

  test('the base answers as its own session does, an adapter as the stack of the audit', async () => {
    const { batcher } = open()
    const own = await openCached({ model: tiny.model, frozen: tiny.weights }, device, LONGEST)
    const stack = await openStack(
      { model: tiny.model, frozen: tiny.weights },
      new Set(modules),
      device,
      LONGEST,
    )
    for (const [k, alone] of [
      [undefined, own],
      [1, stack.with([changes[1]!])],
    ] as const) {
      const decoding = { maxNewTokens: 6, temperature: 0, seed: 0 }
      const signal = new AbortController().signal
      const rows = prompts.map((ids, i) => ({ key: String(i), ids }))
      const options = {
        session: alone,
        varying: {},
        decoding,
        endIds: ENDS,
        padId: 0,
        batchSize: 4,
        signal,
      }
      for await (const batch of generate(rows, options))
        for (const { index, tokenIds } of batch)
          expect((await ask(batcher, prompts[index]!, k)).ids).toEqual(tokenIds)
    }
    await stack.release()
    await own.release()
  })
})

describe('the pool', () => {
  test('adapters come from disk when they are asked for, and go where cells lack; all cells come back', async () => {
    const all = open()
    const expected = await together(all.batcher)
    // Room for the largest adapter with its rows, or a few small ones.
    const largest = Math.max(...kinds.map((kind) => kind.cells))
    const cells = largest + 100
    const small = open({ limits: { cells, rows: 16, promptTokens: 64 } }, cells)
    expect(await together(small.batcher)).toEqual(expected)
    expect(all.batcher.totals.loads).toBe(RANKS.length)
    expect(small.batcher.totals.loads).toBeGreaterThan(RANKS.length)
    expect(small.batcher.now).toMatchObject({ running: 0, waiting: 0 })
    // What is left are adapters that nobody needs: a prompt takes their cells.
    const { free } = small.batcher.now
    expect(free).toBeLessThan(cells)
    await ask(small.batcher, randomIds('long', 50, VOCAB), undefined, { maxNewTokens: 14 })
    expect(small.batcher.now.free).toBeGreaterThanOrEqual(free)
  })

  test('a request that could never fit is refused, and an adapter that cannot be read fails its own request', async () => {
    const { batcher } = open({ limits: { cells: 40, rows: 4, promptTokens: 64 } }, 40)
    await expect(ask(batcher, prompts[2]!, 0)).rejects.toThrow('40 cells')
    const broken = {
      name: 'broken',
      kind: kinds[0]!,
      load: () => Promise.reject(new Error('gone')),
    }
    const other = open().batcher
    const [failed, answered] = await Promise.allSettled([
      ask(other, prompts[0]!, 0, { adapter: broken }),
      ask(other, prompts[0]!, 0),
    ])
    expect(failed.status).toBe('rejected')
    expect(answered.status).toBe('fulfilled')
  })
})

describe('who leaves', () => {
  test('a request that cannot begin in time is refused before it runs', async () => {
    let now = 0
    const limits = { cells: 4000, rows: 1, promptTokens: 64 }
    const { batcher } = open({ limits, firstTokenMs: 1000, clock: () => now })
    const slow = ask(batcher, prompts[0]!, undefined, {
      onToken: () => {
        now += 400
        return false
      },
    })
    const late = ask(batcher, prompts[1]!, undefined)
    await expect(late).rejects.toThrow('within 1 s')
    expect((await slow).stop).not.toBe('enough')
  })

  test('one that is aborted leaves the batch, and too many that wait are refused', async () => {
    const { batcher, pool } = open({
      mostWaiting: 2,
      limits: { cells: 4000, rows: 1, promptTokens: 64 },
    })
    const gone = new AbortController()
    const running = ask(batcher, prompts[0]!, undefined, {
      signal: gone.signal,
      onToken: () => {
        gone.abort(new Error('left'))
        return false
      },
    })
    const next = ask(batcher, prompts[1]!, undefined)
    await expect(ask(batcher, prompts[1]!, undefined)).rejects.toThrow('no more requests')
    await expect(running).rejects.toThrow('left')
    await next
    expect(pool.free).toBe(pool.size)
    await batcher.close()
    await expect(ask(batcher, prompts[1]!, undefined)).rejects.toThrow('no more requests')
  })
})
