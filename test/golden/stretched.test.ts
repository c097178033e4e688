/**
 * @file Positions beyond the trained length (dynamic NTK, longrope, YaRN): what is written through the cache is what
 * transformers writes of each prompt alone and without one, and neighbours change no bit of it (test/golden/README.md).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCached, type CachedSession } from '../../evals/inference/cached-graph.ts'
import type { GeneratedTokens } from '../../evals/inference/decoding.ts'
import { scoreTexts } from '../../evals/inference/score.ts'
import { rotaryReach, type RotaryConfig } from '../../evals/models/rotary.ts'
import { greedyOf, written } from '../doubles/models/golden-greedy.ts'
import { FIXTURES, openGolden, type GoldenModel } from '../doubles/models/golden-llama.ts'
import { floats } from '../doubles/models/safetensors.ts'
import { randomIds } from '../doubles/models/tiny-model.ts'

const { stretched } = JSON.parse(readFileSync(join(FIXTURES, 'families.json'), 'utf8')) as {
  stretched: string[]
}
/** By how much a logit may be off (families.test.ts): tokens further apart than twice that cannot change places. */
const TOLERANCE = 1e-4
const TRAINED = 10
const LONGEST = 40
const BATCHES = [1, 2, 7, 16]
/** Below the trained length, across it, at it and beyond; with 4 new tokens a text grows across it in places of its own. */
const LENGTHS = [1, 9, 10, 11, 30, 8, 7, 21, 6, 10, 9, 3]

describe.each(stretched)('%s', (name) => {
  let golden: GoldenModel
  let session: CachedSession
  beforeAll(async () => {
    golden = await openGolden(name)
    const state = { model: golden.model, frozen: golden.weights }
    session = await openCached(state, { name: 'cpu', threads: 2 }, 64)
  })
  afterAll(() => session.release())

  test('takes texts beyond the trained length', () => {
    expect(session.maxPositions).toBe(LONGEST)
  })

  test.each(BATCHES)('greedy tokens are transformers’, in batches of %d', async (batchSize) => {
    const { lengths, prompts, expected } = greedyOf(golden)
    expect(Math.min(...lengths)).toBeLessThan(TRAINED)
    expect(Math.min(...floats(golden.expected, 'greedy.gaps'))).toBeGreaterThan(2 * TOLERANCE)
    const maxNewTokens = expected[0]!.length
    const found = await written({ session, prompts, maxNewTokens, batchSize })
    expect(found.map(({ tokenIds }) => tokenIds)).toEqual(expected)
  })

  test.each([0, 0.9])(
    'the same bits in any batch and order, at temperature %d',
    async (temperature) => {
      const vocab = golden.expected.get('logits')!.shape[2]!
      const prompts = LENGTHS.map((length, i) => randomIds(`prompt ${i}`, length, vocab))
      const ask = (some: readonly number[][], batchSize: number) =>
        written({ session, prompts: some, maxNewTokens: 4, batchSize, temperature })
      const bits = ({ tokenIds, meanLogProb }: GeneratedTokens) => ({ tokenIds, meanLogProb })
      const alone = (await ask(prompts, 1)).map(bits)
      for (const batchSize of BATCHES) {
        expect((await ask(prompts, batchSize)).map(bits)).toEqual(alone)
        const turned = (await ask(prompts.toReversed(), batchSize)).map(bits)
        expect(turned.toReversed()).toEqual(alone)
      }
    },
  )

  test('scores are the same bits in any batch', async () => {
    const vocab = golden.expected.get('logits')!.shape[2]!
    const texts = LENGTHS.map((length, i) => ({
      ...{ key: String(i), ids: randomIds(`text ${i}`, length + 1, vocab), from: 1 },
    }))
    const { signal } = new AbortController()
    const ask = (batchSize: number) =>
      scoreTexts(texts, { session, varying: {}, padId: 0, batchSize, signal })
    const alone = await ask(1)
    for (const batchSize of BATCHES) expect(await ask(batchSize)).toEqual(alone)
  })
})

test.each([
  ['default', {}, 64],
  ['linear', { factor: 4 }, 64],
  ['llama3', { factor: 4, original_max_position_embeddings: 16 }, 64],
  ['dynamic', { factor: 4 }, 256],
  ['yarn', { factor: 4, original_max_position_embeddings: 64 }, 256],
  ['yarn', { factor: 4, original_max_position_embeddings: 16 }, 64],
  ['longrope', { short_factor: [1], long_factor: [2], original_max_position_embeddings: 16 }, 64],
])('%s %j of a model of 64 positions reaches %d', (rope_type, scaling, reach) => {
  const config: Pick<RotaryConfig, 'scaling' | 'maxPositions'> = {
    ...{ scaling: { rope_type, ...scaling }, maxPositions: 64 },
  }
  expect(rotaryReach(config)).toBe(reach)
})
