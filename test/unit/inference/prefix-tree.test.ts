/**
 * @file Short continuations of the same text: as whole passes score them, within rounding; the same bits in any company,
 * order and batch; and a text's tokens computed once.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCached, type CachedSession } from '../../../evals/inference/cached-graph.ts'
import { scorePrefixTree } from '../../../evals/inference/prefix-tree.ts'
import { scoreTexts, type ScoredText } from '../../../evals/inference/score.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { GOLDEN_FAMILIES, openGolden } from '../../doubles/models/golden-llama.ts'
import { randomIds, tinyModel } from '../../doubles/models/tiny-model.ts'

const { signal } = new AbortController()
const optionsOf = (session: CachedSession, batchSize: number) => ({
  ...{ session, varying: {}, padId: 0, batchSize, signal },
})

/** Openings of 1 to 4 tokens that share their beginnings: a tree of 8 leaves, and one that goes on from a leaf. */
const OPENINGS = [
  [1],
  [1, 2],
  [1, 2, 3],
  [1, 2, 4, 5],
  [6, 2],
  [6, 7, 1],
  [8],
  [9, 1, 2],
  [9, 1, 3],
]
const LENGTHS = [1, 23, 2, 3, 17, 4, 26, 5, 16, 15, 12, 7]

const textsOf = (vocab: number): ScoredText[] =>
  LENGTHS.flatMap((length, i) => {
    const before = randomIds(`before ${i}`, length, vocab)
    return OPENINGS.map((opening, j) => ({
      key: `${i}/${j}`,
      ids: [...before, ...opening],
      from: length,
    }))
  })

/** Greatest |a − b| relative to the greatest |b|: both are differences of float32 logits of that size. */
function distance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  const pairs = a.flatMap((row, i) => Array.from(row, (value, t) => [value, b[i]![t]!] as const))
  const largest = Math.max(...pairs.map(([, whole]) => Math.abs(whole)))
  return Math.max(...pairs.map(([shared, whole]) => Math.abs(shared - whole))) / largest
}

describe.each(GOLDEN_FAMILIES)('%s', (name) => {
  test('agrees with whole passes within rounding', async () => {
    const { model, weights, expected } = await openGolden(name)
    const texts = textsOf(expected.get('logits')!.shape[2]!)
    const state = { model, frozen: weights }
    const session = await openCached(state, { name: 'cpu', threads: 1 }, 64)
    const whole = await scoreTexts(texts, optionsOf(session, 16))
    const shared = await scorePrefixTree(texts, optionsOf(session, 16))
    await session.release()
    expect(shared.map(({ length }) => length)).toEqual(whole.map(({ length }) => length))
    expect(distance(shared, whole)).toBeLessThan(1e-6)
  })
})

describe.each([1, 2])('on %d threads', (threads) => {
  const VOCAB = 128
  const texts = textsOf(VOCAB)
  let session: CachedSession
  beforeAll(async () => {
    const wide = { hidden: 64, heads: 4, kvHeads: 2, headDim: 16, inner: 96, vocab: VOCAB }
    const tiny = tinyModel({ ...wide, seed: 2 })
    const state = { model: tiny.model, frozen: tiny.weights }
    session = await openCached(state, { name: 'cpu', threads }, 128)
  })
  afterAll(() => session.release())

  test('a continuation has the same bits in any company, order and batch', async () => {
    const all = await scorePrefixTree(texts, optionsOf(session, 16))
    for (const [i, text] of texts.entries()) {
      const [alone] = await scorePrefixTree([text], optionsOf(session, 1))
      expect(alone, text.key).toEqual(all[i])
    }
    for (const batchSize of [1, 2, 7]) {
      const order = randomStream(1, `order ${batchSize}`).shuffle(texts.map((_, i) => i))
      const some = order.slice(0, 60)
      const found = await scorePrefixTree(
        some.map((i) => texts[i]!),
        optionsOf(session, batchSize),
      )
      some.forEach((i, at) => expect(found[at], texts[i]!.key).toEqual(all[i]))
    }
  })

  test('a text is computed once, and so is what openings share', async () => {
    const runs: { batch: number; seq: number }[] = []
    const counted: CachedSession = {
      ...session,
      run: (graph, feeds, into) => {
        const [batch, seq] = feeds.tokens!.dims as [number, number]
        runs.push({ batch, seq })
        return session.run(graph, feeds, into)
      },
    }
    await scorePrefixTree(texts, optionsOf(counted, 16))
    // The longest text fills its batch; [1], [6], [9] go on, then [1, 2], [6, 7], [9, 1], then [1, 2, 4].
    expect(runs).toEqual([
      { batch: LENGTHS.length, seq: 26 },
      { batch: 3 * LENGTHS.length, seq: 1 },
      { batch: 3 * LENGTHS.length, seq: 1 },
      { batch: LENGTHS.length, seq: 1 },
    ])
  })
})
