/** @file What prompts begin with is read once, and nobody's answer shows it: the same bits as without, in any batch. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCached, type CachedSession } from '../../../evals/inference/cached-graph.ts'
import { generate } from '../../../evals/inference/generate.ts'
import type { GeneratedTokens } from '../../../evals/inference/decoding.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { areInFiles } from '../../../evals/models/weights/small-weights.ts'
import { writeRandomModel } from '../../bench/harness/random-model.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'
import { randomIds, tinyModel } from '../../doubles/models/tiny-model.ts'
import { sampled } from '../../doubles/tier.ts'

const VOCAB = 128
const tiny = tinyModel({
  hidden: 64,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  inner: 96,
  vocab: VOCAB,
  seed: 2,
  maxPositions: 256,
})
/** A common beginning of `length`, and behind it one token, two, an odd and an even number, and many. */
const promptsWith = (length: number) =>
  [1, 2, 7, 16, 60, 1, 33].map((rest, i) => ({
    key: `prompt ${i}`,
    ids: [...randomIds('common', length, VOCAB), ...randomIds(`rest ${i}`, rest, VOCAB)],
  }))

/** Answers, and how many tokens were read for them. */
async function ask(session: CachedSession, length: number, batchSize: number, temperature: number) {
  let read = 0
  const watching: CachedSession = {
    ...session,
    run(graph, feeds, into) {
      const [rows, width] = feeds.tokens!.dims as [number, number]
      if (width > 1) read += rows * width
      return session.run(graph, feeds, into)
    },
  }
  const answers: GeneratedTokens[] = []
  const options = {
    ...{ session: watching, varying: {}, endIds: new Set([5, 9, 77]), padId: 0, batchSize },
    decoding: { maxNewTokens: 10, temperature, seed: 4 },
    signal: new AbortController().signal,
  }
  for await (const some of generate(promptsWith(length), options))
    for (const each of some) answers[each.index] = each
  return { answers, read }
}

describe.each([
  { threads: 1 },
  { threads: 2 },
  { threads: 8 },
  { threads: 2, cache: 'float16' },
  { threads: 1, cache: 'int8' },
] as const)('on %j', (device) => {
  let session: CachedSession
  beforeAll(async () => {
    const state = { model: tiny.model, frozen: tiny.weights }
    session = await openCached(state, { name: 'cpu', ...device }, 256)
  })
  afterAll(() => session.release())

  test.each(sampled([64, 65, 101, 150], 2))(
    'a common beginning of %i tokens changes no bit',
    async (length) => {
      const whole = { ...session, splitsPrompts: false }
      for (const temperature of [0, 0.9]) {
        const apart = await ask(whole, length, 3, temperature)
        for (const batchSize of [1, 3, 16]) {
          const { answers, read } = await ask(session, length, batchSize, temperature)
          expect(answers).toEqual(apart.answers)
          expect(read).toBeLessThan(0.7 * apart.read)
        }
      }
    },
  )

  test('a short one is read with each prompt, by one kernel for all', async () => {
    const whole = { ...session, splitsPrompts: false }
    expect(await ask(session, 20, 3, 0)).toEqual(await ask(whole, 20, 3, 0))
  })
})

test.each(['F32', 'F16', 'BF16'] as const)(
  'nor does it where weights lie in their file as %s',
  async (storage) => {
    const path = await writeTinyCheckpoint(freshFolder(), { tokenizer: 'word' })
    const size = { hidden: 64, layers: 2, heads: 4, kvHeads: 2, intermediate: 96, vocab: VOCAB }
    await writeRandomModel(path, size, 5, storage)
    const { open, model, weights } = await loadModel(path)
    expect(areInFiles(weights)).toBe(true)
    for (const threads of sampled([8, 1, 2], 1)) {
      const session = await openCached({ model, frozen: weights }, { name: 'cpu', threads }, 256)
      for (const length of [64, 101]) {
        const apart = await ask({ ...session, splitsPrompts: false }, length, 3, 0)
        for (const batchSize of [1, 3, 16]) {
          const { answers, read } = await ask(session, length, batchSize, 0)
          expect(answers).toEqual(apart.answers)
          expect(read).toBeLessThan(0.7 * apart.read)
        }
      }
      await session.release()
    }
    await open.close()
  },
)
