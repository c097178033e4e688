/**
 * @file An answer does not depend on its neighbours: tokens and log-probabilities are the same bits in batches of 1, 2, 7
 * and 16, in any order, beside prompts of any length, greedy and sampled, generated and scored.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lora } from '../../../evals/finetune/methods/lora.ts'
import { bind, type BoundMethod } from '../../../evals/finetune/method.ts'
import { createGraph } from '../../../evals/graph/ops/index.ts'
import {
  openCached,
  type CachedSession,
  type ModelState,
} from '../../../evals/inference/cached-graph.ts'
import { generate } from '../../../evals/inference/generate.ts'
import type { Decoding, GeneratedTokens } from '../../../evals/inference/decoding.ts'
import { scoreTexts, type ScoredText } from '../../../evals/inference/score.ts'
import { createScope } from '../../../evals/models/scope.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { randomIds, tinyModel, type TinyModel } from '../../doubles/models/tiny-model.ts'

const BATCHES = [1, 2, 7, 16]
const LENGTHS = [1, 60, 2, 3, 17, 1, 33, 4, 59, 8, 5, 2, 16, 15, 31, 40, 1, 12, 7]
const VOCAB = 128
const WIDE = { hidden: 64, layers: 2, heads: 4, kvHeads: 2, headDim: 16, inner: 96, vocab: VOCAB }

/** The adapter's tensors with generic numbers, so that the low-rank path is at work. */
function adapterWeights({ model }: TinyModel, method: BoundMethod): Map<string, Float32Array> {
  const g = createGraph()
  const scope = createScope(g, model.weights, { maxPositions: 1, attach: method.attach })
  for (const { name, module } of model.weights.values())
    if (module) scope.adapter(name.replace(/\.weight$/, ''))
  const stream = randomStream(4, 'adapter')
  return new Map(
    g.parameters.map(({ name, shape }) => [
      name,
      Float32Array.from({ length: shape[0]! * shape[1]! }, () => 0.1 * stream.normal()),
    ]),
  )
}

const tiny = tinyModel({ ...WIDE, seed: 2 })
const base: ModelState = { model: tiny.model, frozen: tiny.weights }
const method = bind(lora, { rank: 32, alpha: 5 })
const adapted: ModelState = {
  model: tiny.model,
  frozen: new Map([...tiny.weights, ...adapterWeights(tiny, method)]),
  method,
}
const prompts = LENGTHS.map((length, i) => ({
  key: `prompt ${i}`,
  ids: randomIds(`prompt ${i}`, length, VOCAB),
}))

const shuffled = (label: string): number[] =>
  randomStream(1, label).shuffle(prompts.map((_, i) => i))

async function answers(
  session: CachedSession,
  order: readonly number[],
  batchSize: number,
  decoding: Decoding,
): Promise<GeneratedTokens[]> {
  const results: GeneratedTokens[] = []
  const options = {
    session,
    varying: {},
    decoding,
    endIds: new Set([5, 9, 77]),
    padId: 0,
    batchSize,
    signal: new AbortController().signal,
  }
  const asked = order.map((i) => prompts[i]!)
  for await (const batch of generate(asked, options))
    for (const each of batch) results[order[each.index]!] = { ...each, index: order[each.index]! }
  return results
}

/** Every length twice over, scored from the start, from the middle, and the last token only. */
const texts: readonly ScoredText[] = [
  ...prompts.map(({ ids }, i) => ({ key: `all ${i}`, ids, from: 1 })),
  ...prompts.map(({ ids }, i) => ({ key: `half ${i}`, ids, from: Math.ceil(ids.length / 2) })),
  ...prompts.map(({ ids }, i) => ({ key: `last ${i}`, ids, from: ids.length - 1 })),
]

async function scores(
  session: CachedSession,
  order: readonly number[],
  batchSize: number,
): Promise<Float32Array[]> {
  const signal = new AbortController().signal
  const asked = order.map((i) => texts[i]!)
  const found = await scoreTexts(asked, { session, varying: {}, padId: 0, batchSize, signal })
  const results: Float32Array[] = []
  order.forEach((i, at) => (results[i] = found[at]!))
  return results
}

describe.each([
  ['one thread', { threads: 1 }, base],
  ['two threads', { threads: 2 }, base],
  ['two threads, with an adapter', { threads: 2 }, adapted],
  ['keys and values in float16', { threads: 2, cache: 'float16' }, adapted],
  ['keys and values in int8', { threads: 1, cache: 'int8' }, base],
] as const)('%s', (_, device, state) => {
  let subject: CachedSession
  beforeAll(async () => {
    subject = await openCached(state, { name: 'cpu', ...device }, 128)
  })
  afterAll(() => subject.release())

  test.each([
    ['greedy', { maxNewTokens: 12, temperature: 0, seed: 0 }],
    ['sampled', { maxNewTokens: 12, temperature: 0.9, seed: 11 }],
  ])('%s answers', async (_name, decoding) => {
    const natural = prompts.map((_, i) => i)
    const alone = await answers(subject, natural, 1, decoding)
    expect(alone.some(({ stop }) => stop === 'end')).toBe(true)
    expect(alone.some(({ stop }) => stop === 'length')).toBe(true)
    for (const batchSize of BATCHES) {
      for (const order of [natural, natural.toReversed(), shuffled(`order ${batchSize}`)])
        expect(await answers(subject, order, batchSize, decoding)).toEqual(alone)
    }
  })

  test('a few prompts together answer as all of them do', async () => {
    const decoding = { maxNewTokens: 6, temperature: 0, seed: 0 }
    const all = await answers(subject, shuffled('all'), 16, decoding)
    for (const few of [
      [0, 5],
      [0, 1],
      [5, 16, 2],
      [1, 8],
      [2, 11, 3],
    ]) {
      const found = await answers(subject, few, 7, decoding)
      for (const i of few) expect(found[i]).toEqual(all[i])
    }
  })

  test('scores', async () => {
    const natural = texts.map((_, i) => i)
    const alone = await scores(subject, natural, 1)
    for (const batchSize of BATCHES) {
      for (const order of [natural, natural.toReversed()]) {
        const found = await scores(subject, order, batchSize)
        natural.forEach((i) =>
          expect(found[i], `${texts[i]!.key} by ${batchSize}`).toEqual(alone[i]),
        )
      }
    }
  })

  test('a single labelled token beside texts that have none', async () => {
    const at = (key: string) => texts.findIndex((text) => text.key === key)
    const lone = [at('all 2'), at('all 0')]
    const wide = await scores(
      subject,
      texts.map((_, i) => i),
      16,
    )
    for (const order of [
      lone,
      lone.toReversed(),
      [at('last 1'), ...lone],
      [at('last 6'), at('all 5')],
    ]) {
      const found = await scores(subject, order, 16)
      for (const i of order) expect(found[i], texts[i]!.key).toEqual(wide[i])
    }
    expect(await scores(subject, [at('all 0'), at('all 5')], 2)).toHaveLength(at('all 5') + 1)
  })
})

test('a long context on more threads than heads, and a tuned model whose matrices are wide', async () => {
  const wide = tinyModel({
    ...WIDE,
    hidden: 192,
    layers: 1,
    heads: 2,
    kvHeads: 1,
    headDim: 64,
    inner: 320,
    maxPositions: 640,
  })
  const state = { model: wide.model, frozen: wide.weights }
  const session = await openCached(state, { name: 'cpu', threads: 5 }, 640)
  const ids = [600, 33, 520, 9].map((length) => randomIds(`long ${length}`, length, VOCAB))
  const asked = ids.map((each, i) => ({ key: String(i), ids: each }))
  const decoding = { maxNewTokens: 3, temperature: 0, seed: 0 }
  const options = { session, varying: {}, decoding, endIds: new Set<number>(), padId: 0 }
  const signal = new AbortController().signal
  const by = async (batchSize: number) => {
    const found: GeneratedTokens[] = []
    for await (const batch of generate(asked, { ...options, batchSize, signal }))
      for (const each of batch) found[each.index] = each
    return found
  }
  expect(await by(4)).toEqual(await by(1))
  await session.release()
})

test('one run scores few rows of logits', async () => {
  const session = await openCached(base, { name: 'cpu', threads: 1 }, 128)
  const rows: number[] = []
  const counted: CachedSession = {
    ...session,
    run(graph, feeds, into) {
      rows.push(feeds.rows!.data.length)
      return session.run(graph, feeds, into)
    },
  }
  const long = [...new Array<number>(10).fill(120), 2].map((length, i) => ({
    key: String(i),
    ids: randomIds(`long ${i}`, length, VOCAB),
    from: 1,
  }))
  const { signal } = new AbortController()
  const options = { session: counted, varying: {}, padId: 0, batchSize: 16, signal }
  const together = await scoreTexts(long, options)
  expect(rows).toEqual([...new Array<number>(4).fill(2 * 119), 2 * 119 + 1])
  const alone = await scoreTexts(long, { ...options, batchSize: 1 })
  expect(together).toEqual(alone)
  await session.release()
})
