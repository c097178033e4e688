/** @file Members of a panel are asked in one pass, and each gets its own answers, those that it would get by itself. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CachedSession } from '../../../evals/inference/cached-graph.ts'
import { createPanel, type Panel } from '../../../evals/inference/panel.ts'
import type { GeneratedTokens } from '../../../evals/inference/decoding.ts'
import {
  openStack,
  type LowRankChanges,
  type StackSession,
} from '../../../evals/inference/stack.ts'
import type { TokenModel } from '../../../evals/inference/token-model.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { randomIds, tinyModel } from '../../doubles/models/tiny-model.ts'

const tiny = tinyModel({ seed: 5 })
const WEIGHT = 'model.layers.0.mlp.up_proj.weight'
const [OUT, WIDTH] = tiny.model.weights.get(WEIGHT)!.shape as [number, number]

function adapterOf(seed: number): LowRankChanges {
  const { normal } = randomStream(seed, 'adapter')
  const draw = (length: number) => Float32Array.from({ length }, () => 0.5 * normal())
  return new Map([[WEIGHT, { A: draw(2 * WIDTH), B: draw(2 * OUT), rank: 2, scale: 1 }]])
}

let stack: StackSession
let runs = 0
beforeAll(async () => {
  const base = { model: tiny.model, frozen: tiny.weights }
  stack = await openStack(base, new Set([WEIGHT]), { name: 'cpu', threads: 1 }, 64)
})
afterAll(() => stack.release())

function panelOf(...seeds: number[]): Panel {
  const opened = stack.with(seeds.map(adapterOf))
  const session: CachedSession = {
    ...opened,
    run(...asked) {
      runs++
      return opened.run(...asked)
    },
  }
  return createPanel({ session, count: seeds.length, padId: 0, batchSize: 4 })
}

const { signal } = new AbortController()
const prompts = [4, 9, 2].map((length, i) => ({
  key: `prompt ${i}`,
  ids: randomIds(`p${i}`, length, tiny.options.vocab),
}))
const texts = prompts.map((prompt) => ({ ...prompt, from: 1 }))

async function written(model: TokenModel, temperature = 0): Promise<GeneratedTokens[]> {
  const decoding = { maxNewTokens: 6, temperature, seed: 1 }
  const found: GeneratedTokens[] = []
  for await (const some of model.generate(prompts, { decoding, endIds: new Set([3]), signal }))
    for (const each of some) found[each.index] = each
  return found
}

/** What it costs, in runs of the graph, beside what it gives. */
async function cost<T>(ask: () => Promise<T>): Promise<[T, number]> {
  const before = runs
  return [await ask(), runs - before]
}

const QUESTIONS: [string, (model: TokenModel) => Promise<unknown>][] = [
  ['replies', written],
  ['scores', (model) => model.score(texts, signal)],
  ['tree', (model) => model.scoreTree(texts, signal)],
]

test.each(QUESTIONS)('%s: the first pays, each gets its own', async (_, ask) => {
  const panel = panelOf(1, 2, 3)
  const [second, paid] = await cost(() => ask(panel.member(1)))
  expect(paid).toBeGreaterThan(0)
  const [[first, third], free] = await cost(async () => [
    await ask(panel.member(0)),
    await ask(panel.member(2)),
  ])
  expect(free).toBe(0)
  for (const [answer, seed] of [
    [first, 1],
    [second, 2],
    [third, 3],
  ] as const)
    expect(answer).toEqual(await ask(panelOf(seed).member(0)))
  expect(first).not.toEqual(second)
})

test('an answer goes with whoever takes it, and with the next question to all', async () => {
  const panel = panelOf(1, 2)
  const [once] = await cost(() => written(panel.member(0)))
  const [twice, paid] = await cost(() => written(panel.member(0)))
  expect(twice).toEqual(once)
  expect(paid).toBeGreaterThan(0)
  panel.activate([0, 1])
  expect((await cost(() => written(panel.member(1))))[1]).toBeGreaterThan(0)
})

test('who does not listen is asked for itself alone', async () => {
  const panel = panelOf(1, 2, 3)
  panel.activate([0, 2])
  await written(panel.member(0))
  expect((await cost(() => written(panel.member(1))))[1]).toBeGreaterThan(0)
})

test('drawn replies are each member’s own', async () => {
  const panel = panelOf(1, 2)
  const ask = (k: number) => cost(() => written(panel.member(k), 1))
  const [[first, one], [second, other]] = [await ask(0), await ask(1)]
  expect(Math.min(one, other)).toBeGreaterThan(0)
  expect([first, second]).toEqual([
    await written(panelOf(1).member(0), 1),
    await written(panelOf(2).member(0), 1),
  ])
})
