/** @file A prompt that has ended leaves its slot to the next: nothing is computed after an end, and few runs do it all. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCached, type CachedSession } from '../../../evals/inference/cached-graph.ts'
import { generate } from '../../../evals/inference/generate.ts'
import type { GeneratedTokens } from '../../../evals/inference/decoding.ts'
import { randomIds, tinyModel } from '../../doubles/models/tiny-model.ts'

const NEW_TOKENS = 14
const tiny = tinyModel({ seed: 9 })
let session: CachedSession
beforeAll(async () => {
  const state = { model: tiny.model, frozen: tiny.weights }
  session = await openCached(state, { name: 'cpu', threads: 1 }, 128)
})
afterAll(() => session.release())

const prompts = Array.from({ length: 40 }, (_, i) => ({
  key: `prompt ${i}`,
  ids: randomIds(`prompt ${i}`, 1 + ((i * 11) % 30), tiny.options.vocab),
}))

/** What each run was given. */
interface Run {
  readonly rows: number
  readonly width: number
  readonly capacity: number
}

async function watched(
  asked: typeof prompts,
  batchSize: number,
  endIds: ReadonlySet<number>,
  stopAt = Infinity,
) {
  const runs: Run[] = []
  const given = new Set<ArrayBufferLike>()
  const watching: CachedSession = {
    ...session,
    run(graph, feeds, into) {
      for (const [name, { data }] of Object.entries(feeds))
        if (name.startsWith('past')) given.add(data.buffer)
      const [rows, width] = feeds.tokens!.dims as [number, number]
      runs.push({ rows, width, capacity: feeds['past.0.keys']!.dims[2]! })
      return session.run(graph, feeds, into)
    },
  }
  const answers: GeneratedTokens[] = []
  const options = {
    ...{ session: watching, varying: {}, endIds, padId: 0, batchSize },
    decoding: { maxNewTokens: NEW_TOKENS, temperature: 0, seed: 0 },
    signal: new AbortController().signal,
  }
  for await (const some of generate(asked, options)) {
    answers.push(...some)
    if (answers.length >= stopAt) break
  }
  return { answers, runs, given: [...given] }
}

/** An end that many answers meet, at different steps. */
async function commonEnd(): Promise<ReadonlySet<number>> {
  const { answers } = await watched(prompts, 16, new Set())
  const counts = Map.groupBy(
    answers.flatMap(({ tokenIds }) => [...new Set(tokenIds)]),
    (token) => token,
  )
  const [[token] = [0]] = [...counts].sort((a, b) => b[1].length - a[1].length)
  return new Set([token])
}

describe('slots', () => {
  test('are never more than the batch, and no row runs after its end', async () => {
    const endIds = await commonEnd()
    const { answers, runs } = await watched(prompts, 8, endIds)
    expect(new Set(answers.map(({ writtenIds }) => writtenIds.length)).size).toBeGreaterThan(5)
    const steps = runs.filter(({ width }) => width === 1)
    const lone = steps.filter(({ rows }) => rows === 2).length
    const rowSteps = steps.reduce((sum, { rows }) => sum + rows, 0)
    const needed = answers.reduce((sum, { writtenIds }) => sum + writtenIds.length - 1, 0)
    // A row that is alone at the very end has itself for company.
    expect(rowSteps).toBeGreaterThanOrEqual(needed)
    expect(rowSteps).toBeLessThanOrEqual(needed + lone)
    expect(Math.max(...runs.map(({ rows }) => rows))).toBe(8)
  })

  test('are filled again while others go on', async () => {
    const endIds = await commonEnd()
    const { answers, runs } = await watched(prompts, 8, endIds)
    const inTurns = answers
      .map(({ writtenIds }) => writtenIds.length - 1)
      .reduce<number[]>((longest, steps, i) => {
        longest[Math.floor(i / 8)] = Math.max(longest[Math.floor(i / 8)] ?? 0, steps)
        return longest
      }, [])
      .reduce((a, b) => a + b)
    expect(runs.filter(({ width }) => width === 1).length).toBeLessThan(0.8 * inTurns)
    expect(runs.filter(({ width }) => width > 1).length).toBeGreaterThan(prompts.length / 8)
  })

  test('shrink when only short prompts are left', async () => {
    const { runs } = await watched(prompts, 2, await commonEnd())
    expect(runs[0]!.capacity).toBe(30 + NEW_TOKENS)
    expect(runs.at(-1)!.capacity).toBeLessThanOrEqual((30 + NEW_TOKENS) / 2)
  })

  test.each([Infinity, 5])('give their memory back when generation ends (after %d)', async (at) => {
    const shared = randomIds('shared', 64, tiny.options.vocab)
    const long = prompts.slice(0, 12).map(({ key, ids }) => ({ key, ids: [...shared, ...ids] }))
    for (const asked of [prompts, long]) {
      const { given } = await watched(asked, 4, new Set(), at)
      expect(given.length).toBeGreaterThanOrEqual(2 * session.cache.length)
      expect(given.map(({ byteLength }) => byteLength)).toEqual(given.map(() => 0))
    }
  })

  test('give answers in one order, the longest prompt’s first, whoever ends first', async () => {
    const endIds = await commonEnd()
    const order = prompts
      .map(({ ids }, i) => [ids.length, i] as const)
      .sort((a, b) => b[0] - a[0] || a[1] - b[1])
      .map(([, i]) => i)
    for (const batchSize of [1, 3, 8, 64]) {
      const { answers } = await watched(prompts, batchSize, endIds)
      expect(answers.map(({ index }) => index)).toEqual(order)
    }
  })
})
