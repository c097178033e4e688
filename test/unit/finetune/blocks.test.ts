/** @file Long rows are read in blocks of queries: the loss and the gradients of short rows that are read whole, in every family. */
import { describe, expect, test } from 'vitest'
import {
  makeBatch,
  makePackedBatch,
  type Example,
} from '../../../evals/finetune/training/dataset.ts'
import { bindMethod } from '../../../evals/finetune/registry.ts'
import { openTraining } from '../../../evals/finetune/training/train-graph.ts'
import { evenBlocks, queryBlocks } from '../../../evals/models/layers.ts'
import type { Model } from '../../../evals/models/registry.ts'
import {
  GOLDEN_ENCODERS,
  GOLDEN_FAMILIES,
  openGolden,
  type GoldenModel,
} from '../../doubles/models/golden-llama.ts'
import { vocabularyOf } from '../../doubles/training/one-gradient.ts'
import { relativeError } from '../../doubles/models/safetensors.ts'
import { randomIds } from '../../doubles/models/tiny-model.ts'
import { sampled } from '../../doubles/tier.ts'

const [SHORT, LONG, BLOCKS] = [120, 600, 4]

/** The same model, but that its texts may be longer; none where positions are a table of weights. */
function lengthened({ model, ...rest }: GoldenModel): GoldenModel | undefined {
  const config = model.config as Record<string, unknown>
  const key = Object.keys(config).find((each) => /^max_?position_?embeddings$/iu.test(each))
  if (key === undefined) return undefined
  return { ...rest, model: { ...model, config: { ...config, [key]: LONG } } satisfies Model }
}

const longestOf = (rows: readonly Example[]) => Math.max(...rows.map(({ ids }) => ids.length))

async function gradientOf(
  { model, weights }: GoldenModel,
  batch: ReturnType<typeof makeBatch>,
  maxPositions: number,
) {
  const session = await openTraining({
    model,
    weights,
    method: bindMethod({ name: 'full', config: {} }),
    seed: 3,
    maxPositions,
    device: { name: 'cpu', threads: 2 },
  })
  const { loss, flat } = await session.gradients(batch)
  await session.release()
  return { loss, flat: Array.from(flat), lanes: batch.batch }
}

const families = (
  await Promise.all(
    GOLDEN_FAMILIES.map(async (name) => [name, lengthened(await openGolden(name))] as const),
  )
).flatMap(([name, golden]) => (golden ? [[name, golden] as const] : []))

test('most families are here, and rows of these lengths are read whole and in blocks', () => {
  expect(families.length).toBeGreaterThan(12)
  expect([SHORT, LONG].map(queryBlocks)).toEqual([1, BLOCKS])
})

describe('full on', () => {
  test.each(sampled(families, 6))('%s', async (_, golden) => {
    const vocab = vocabularyOf(golden.model)
    const row = (label: string, length: number, isLearnt: boolean): Example => ({
      ids: randomIds(label, length, vocab),
      labelled: Array.from({ length }, (_, t) => isLearnt && t > length / 3),
    })
    const short = [0, 1, 2, 3, 4].map((i) => row(`row ${i}`, SHORT, true))
    const packed = (rows: readonly Example[]) =>
      gradientOf(golden, makePackedBatch(rows, 0), longestOf(rows))
    const whole = await packed(short)
    // Nothing is learnt of the long row; it makes room for the others to lie across the blocks' ends.
    const blocks = await packed([row('long', LONG, false), ...short])
    expect([whole.lanes, blocks.lanes]).toEqual([5, 2])
    expect(Math.hypot(...whole.flat)).toBeGreaterThan(1e-3)
    expect(blocks.loss).toBeCloseTo(whole.loss, 5)
    expect(relativeError(blocks.flat, whole.flat)).toBeLessThan(1e-5)
  })
})

test('an encoder that is opened for long rows gives the gradients of one for short rows', async () => {
  const golden = await openGolden(GOLDEN_ENCODERS.classes[0]!)
  const vocab = vocabularyOf(golden.model)
  const rows = [11, 19, 8].map((length, label) => ({
    ids: randomIds(`${label}`, length, vocab),
    label,
  }))
  const [whole, blocks] = [SHORT, LONG].map((longest) =>
    gradientOf(golden, makeBatch(rows, 0), longest),
  )
  expect([SHORT, LONG].map(evenBlocks)).toEqual([1, 8])
  expect(Math.hypot(...(await whole!).flat)).toBeGreaterThan(1e-3)
  expect((await blocks!).loss).toBeCloseTo((await whole!).loss, 5)
  expect(relativeError((await blocks!).flat, (await whole!).flat)).toBeLessThan(1e-5)
})
