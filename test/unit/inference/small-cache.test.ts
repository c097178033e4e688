/** @file Keys and values in fewer bits: how far they are from what was rounded, and how near the answers are. */
import { describe, expect, test } from 'vitest'
import { CPU } from '../../../evals/graph/op.ts'
import type { SmallCache } from '../../../evals/graph/ops/small-cache.ts'
import { emptyCache, openCached } from '../../../evals/inference/cached-graph.ts'
import type { GeneratedTokens } from '../../../evals/inference/decoding.ts'
import { decode, prefill } from '../../../evals/inference/feeds.ts'
import { generate } from '../../../evals/inference/generate.ts'
import { openSlots, rowBytes } from '../../../evals/inference/slots.ts'
import { distancesOn, together } from '../../../evals/inspect/certificate/measure.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { generic, runOnce } from '../../doubles/graph/run-graph.ts'
import { randomIds, tinyModel } from '../../doubles/models/tiny-model.ts'

const [BATCH, SEQ, HEADS, DIM] = [2, 3, 2, 8]
const SIZES = { batch: 'batch', seq: 'seq', kvHeads: HEADS, headDim: DIM }

/** Rows `[batch*seq, heads*dim]` as they are read back. */
async function roundedTo(storage: SmallCache, values: readonly number[]): Promise<Float32Array> {
  const given = [
    { ...generic('x', [BATCH * SEQ, HEADS * DIM], ['batch*seq', HEADS * DIM]), values },
    generic('sizes', [BATCH, SEQ], ['batch', 'seq']),
  ]
  const { back } = await runOnce(CPU, given, (g, [x, sizes]) => ({
    back: g.keepHeads(x!, { ...SIZES, storage }).value,
    sizes: sizes!,
  }))
  return back!.data as Float32Array
}

/** Heads of sizes from 1e-6 to 1e6. */
const drawn = (): number[] => {
  const stream = randomStream(3, 'heads')
  return Array.from({ length: BATCH * SEQ * HEADS }, (_, head) => 10 ** (head - 6)).flatMap(
    (size) => Array.from({ length: DIM }, () => Math.fround(size * stream.normal())),
  )
}

const largestOf = (x: readonly number[]) => Math.max(...x.map(Math.abs))

describe('what is read back', () => {
  test('of int8 is within half a step of a head’s largest number: max|x| / 254', async () => {
    const values = drawn()
    const back = await roundedTo('int8', values)
    let most = 0
    for (let head = 0; head < values.length; head += DIM) {
      const own = values.slice(head, head + DIM)
      const bound = largestOf(own) / 254
      own.forEach((x, i) => (most = Math.max(most, Math.abs(x - back[head + i]!) / bound)))
    }
    // But for the rounding of scale and product, each within 2⁻²⁴ of 127 steps.
    expect(most).toBeLessThan(1 + 254 * 2 ** -22)
    expect(most).toBeGreaterThan(0.5)
  })

  test('of float16 is within 2⁻¹¹ of itself, and what is too small for it within 2⁻²⁵', async () => {
    const values = drawn().map((x) => Math.max(-6e4, Math.min(6e4, x)))
    const back = await roundedTo('float16', values)
    const errors = values.map(
      (x, i) => Math.abs(x - back[i]!) / (Math.abs(x) * 2 ** -11 + 2 ** -25),
    )
    expect(Math.max(...errors)).toBeLessThanOrEqual(1)
    expect(Math.max(...errors)).toBeGreaterThan(0.5)
  })

  test.each(['float16', 'int8'] as const)(
    'of %s, rounded once more, is the same; zeros stay zeros',
    async (storage) => {
      const zeros = drawn().map((x, i) => (i < 2 * DIM ? 0 : Math.max(-6e4, Math.min(6e4, x))))
      const once = await roundedTo(storage, zeros)
      expect(await roundedTo(storage, [...once])).toEqual(once)
      expect(once.slice(0, 2 * DIM)).toEqual(new Float32Array(2 * DIM))
    },
  )

  test.each(['float16', 'int8'] as const)(
    'of %s is no number where none went in, in that head alone',
    async (storage) => {
      for (const none of [NaN, Infinity]) {
        const values = drawn().map((x, i) => (i === 9 ? none : Math.max(-6e4, Math.min(6e4, x))))
        const back = await roundedTo(storage, values)
        expect(Number.isFinite(back[9])).toBe(false)
        expect([...back].filter((x, i) => i >> 3 !== 1 && !Number.isFinite(x))).toEqual([])
      }
    },
  )
})

const VOCAB = 128
const tiny = tinyModel({
  ...{ hidden: 64, layers: 3, heads: 4, kvHeads: 2, headDim: 16, inner: 96 },
  ...{ vocab: VOCAB, seed: 2, maxPositions: 128 },
})
const opened = (cache?: SmallCache) =>
  openCached(
    { model: tiny.model, frozen: tiny.weights },
    { name: 'cpu', threads: 2, ...(cache && { cache }) },
    128,
  )
type Session = Awaited<ReturnType<typeof opened>>

async function answers(session: Session): Promise<GeneratedTokens[]> {
  const prompts = [5, 40, 17, 2, 33].map((length, i) => ({
    key: `prompt ${i}`,
    ids: randomIds(`prompt ${i}`, length, VOCAB),
  }))
  const decoding = { maxNewTokens: 12, temperature: 0, seed: 0 }
  const { signal } = new AbortController()
  const options = { session, varying: {}, endIds: new Set<number>(), padId: 0, batchSize: 3 }
  const found: GeneratedTokens[] = []
  for await (const some of generate(prompts, { ...options, decoding, signal }))
    for (const each of some) found[each.index] = each
  return found
}

describe.each([
  ['float16', 2e-2, 0.95],
  ['int8', 0.5, 0.8],
] as const)('a model asked with %s', (cache, logits, tokens) => {
  test('answers nearly as with float32', async () => {
    const [exact, small] = [await opened(), await opened(cache)]
    const [a, b] = [await answers(exact), await answers(small)]
    const ids = a.flatMap(({ writtenIds }, i) =>
      writtenIds.map((id, t) => id === b[i]!.writtenIds[t]),
    )
    expect(ids.filter(Boolean).length / ids.length).toBeGreaterThanOrEqual(tokens)
    const text = { key: 'text', ids: randomIds('text', 60, VOCAB), from: 1 }
    const { maxLogit } = together(await distancesOn([text], exact, small))
    expect(maxLogit).toBeGreaterThan(0)
    expect(maxLogit).toBeLessThan(logits)
    await exact.release()
    await small.release()
  })

  test('reads in a step what a whole text has, rows of unequal lengths beside each other', async () => {
    const session = await opened(cache)
    const texts = [11, 8].map((length) => randomIds(`text ${length}`, length, VOCAB))
    const before = texts.map((ids) => ({ ids: ids.slice(0, -1) }))
    const { past, present } = openSlots(session.cache, 3, 20).rows(0, 2)
    await session.run('sampled', { ...past, ...prefill(before, 10, 0) }, present)
    const step = decode(
      texts.map((ids) => ids.at(-1)!),
      before.map(({ ids }) => ids.length),
    )
    const one = await session.run('sampled', { ...past, ...step }, present)
    const whole = emptyCache(session.cache, 2, 20)
    const feeds = {
      ...whole.past,
      ...prefill(
        texts.map((ids) => ({ ids })),
        12,
        0,
      ),
    }
    const other = await session.run('sampled', feeds, whole.present)
    const off = (one.logits!.data as Float32Array).map((x, i) => x - Number(other.logits!.data[i]))
    // One query is multiplied by another kernel; a number that falls on the other side of a step moves further.
    expect(largestOf([...off])).toBeLessThan(1e-3)
    await session.release()
  })

  test('has the bytes that are told of it', async () => {
    const session = await opened(cache)
    const buffers = Object.values(emptyCache(session.cache, 1, 30).past)
    const bytes = buffers.reduce((sum, { data }) => sum + data.byteLength, 0)
    expect(rowBytes(session.cache, 30)).toBe(bytes)
    await session.release()
  })
})
