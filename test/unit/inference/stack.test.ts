/**
 * @file Several adapters in one batch answer as each does alone: the same bits through a stack, whatever stands beside it,
 * and the numbers of the weights that they make when merged.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCached, type CachedSession } from '../../../evals/inference/cached-graph.ts'
import { generate } from '../../../evals/inference/generate.ts'
import type { GeneratedTokens } from '../../../evals/inference/decoding.ts'
import { scorePrefixTree } from '../../../evals/inference/prefix-tree.ts'
import { scoreTexts } from '../../../evals/inference/score.ts'
import {
  arrange,
  canStack,
  openStack,
  stackKind,
  type StackSession,
} from '../../../evals/inference/stack.ts'
import { adapterOf, modules, tiny, VOCAB } from '../../doubles/models/tiny-adapters.ts'
import { randomIds } from '../../doubles/models/tiny-model.ts'

const RANKS = [3, 8, 16, 8, 1]
const adapters = RANKS.map((rank, k) => adapterOf(k, rank))
const prompts = [5, 12, 1, 30, 7, 18].map((length, i) => ({
  key: `prompt ${i}`,
  ids: randomIds(`prompt ${i}`, length, VOCAB),
}))
const signal = new AbortController().signal

async function answers(
  session: CachedSession,
  asked: readonly number[],
  batchSize: number,
): Promise<GeneratedTokens[][]> {
  const all = prompts.flatMap((prompt) => asked.map((adapter) => ({ ...prompt, adapter })))
  const decoding = { maxNewTokens: 9, temperature: 0, seed: 0 }
  const endIds = new Set([5, 9, 77])
  const options = { session, varying: {}, decoding, endIds, padId: 0, batchSize, signal }
  const found: GeneratedTokens[][] = asked.map(() => [])
  for await (const batch of generate(all, options))
    for (const each of batch) {
      const index = Math.floor(each.index / asked.length)
      found[each.index % asked.length]![index] = { ...each, index }
    }
  return found
}

const texts = prompts.map(({ key, ids }) => ({ key, ids, from: Math.ceil(ids.length / 2) }))

async function scores(
  score: typeof scoreTexts,
  session: CachedSession,
  asked: readonly number[],
  batchSize: number,
): Promise<Float32Array[][]> {
  const all = texts.flatMap((text) => asked.map((adapter) => ({ ...text, adapter })))
  const found = await score(all, { session, varying: {}, padId: 0, batchSize, signal })
  return asked.map((_, k) => found.filter((_each, i) => i % asked.length === k))
}

const everyone = adapters.map((_, k) => k)

describe.each([1, 2, 5])('%i threads', (threads) => {
  let stack: StackSession
  beforeAll(async () => {
    const base = { model: tiny.model, frozen: tiny.weights }
    stack = await openStack(base, new Set(modules), { name: 'cpu', threads }, 64)
  })
  afterAll(() => stack.release())

  test('each answers to the bit as it does alone', async () => {
    const together = await answers(stack.with(adapters), everyone, 16)
    expect(new Set(together.map((each) => JSON.stringify(each))).size).toBe(adapters.length)
    for (const k of everyone) {
      expect((await answers(stack.with([adapters[k]!]), [0], 4))[0]).toEqual(together[k])
      expect((await answers(stack.with(adapters), [k], 1))[0]).toEqual(together[k])
    }
    const some = await answers(stack.with([adapters[3]!, adapters[1]!]), [1, 0], 7)
    expect(some).toEqual([together[1], together[3]])
  })

  test.each([
    ['texts', scoreTexts],
    ['openings', scorePrefixTree],
  ])('scores of %s are the same bits as alone', async (_, score) => {
    const together = await scores(score, stack.with(adapters), everyone, 16)
    for (const k of everyone)
      expect((await scores(score, stack.with([adapters[k]!]), [0], 3))[0]).toEqual(together[k])
  })
})

test('each answers as the weights that it makes when merged, up to rounding', async () => {
  const base = { model: tiny.model, frozen: tiny.weights }
  const stack = await openStack(base, new Set(modules), { name: 'cpu', threads: 1 }, 64)
  const together = await answers(stack.with(adapters), everyone, 16)
  const scored = await scores(scoreTexts, stack.with(adapters), everyone, 16)
  for (const k of everyone) {
    const frozen = new Map(
      [...tiny.weights].map(([name, W]) => {
        const { A, B, rank, scale } = adapters[k]!.get(name) ?? {}
        return [name, A && B ? merged(W, A, B, rank!, scale!) : W]
      }),
    )
    const alone = await openCached({ model: tiny.model, frozen }, { name: 'cpu', threads: 1 }, 64)
    const [expected] = await answers(alone, [0], 4)
    together[k]!.forEach(({ tokenIds, meanLogProb }, i) => {
      expect(tokenIds).toEqual(expected![i]!.tokenIds)
      expect(Math.abs(meanLogProb - expected![i]!.meanLogProb)).toBeLessThan(ROUNDING)
    })
    const [expectedScores] = await scores(scoreTexts, alone, [0], 4)
    scored[k]!.forEach((each, i) =>
      each.forEach((value, t) =>
        expect(Math.abs(value - expectedScores![i]![t]!)).toBeLessThan(ROUNDING),
      ),
    )
    await alone.release()
  }
  await stack.release()
})

/** Of a log-probability: logits reach some tens, and 2⁻²³ of them is lost in each of some ten sums. */
const ROUNDING = 1e-4

/** W + s·B·A, in float64. */
function merged(W: Float32Array, A: Float32Array, B: Float32Array, rank: number, scale: number) {
  const columns = A.length / rank
  return W.map((w, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns]
    let sum = 0
    for (let r = 0; r < rank; r++) sum += B[i * rank + r]! * A[r * columns + j]!
    return w + scale * sum
  })
}

test('ranks that are summed alike may stand together, and no others', () => {
  const kindOf = (rank: number) => stackKind(adapterOf(0, rank))
  expect(kindOf(1)).toBe(kindOf(16))
  expect(kindOf(17)).toBe(kindOf(32))
  expect(kindOf(16)).not.toBe(kindOf(17))
  const fewer = new Map([...adapterOf(0, 8)].slice(1))
  expect(stackKind(fewer)).not.toBe(kindOf(8))
})

test('a layer that no method adapts is not stacked', () => {
  const change = { A: new Float32Array(192), B: new Float32Array(VOCAB), rank: 1, scale: 1 }
  expect(canStack(tiny.model, adapters[0]!)).toBe(true)
  expect(canStack(tiny.model, new Map([['lm_head.weight', change]]))).toBe(false)
  expect(canStack(tiny.model, new Map())).toBe(false)
})

test('rows are arranged adapter by adapter, in as many blocks as there are threads', () => {
  const { 'stack.rows': rows, 'stack.places': places } = arrange([1, 0, 1], 2, 2, 3)
  expect(rows!.dims).toEqual([2, 2, 2])
  expect([...(rows!.data as Int32Array)]).toEqual([2, 3, 2, 2, 0, 1, 4, 5])
  expect([...(places!.data as Int32Array)]).toEqual([4, 5, 0, 1, 6, 7])
})
