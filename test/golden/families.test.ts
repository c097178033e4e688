/** @file Do we get PyTorch's numbers? Tiny random models of every decoder family against transformers (test/golden/README.md). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { full } from '../../evals/finetune/methods/full.ts'
import { bind } from '../../evals/finetune/method.ts'
import { namedViews } from '../../evals/finetune/training/parameters.ts'
import { openTraining } from '../../evals/finetune/training/train-graph.ts'
import { asStored } from '../../evals/models/weight-list.ts'
import {
  batchOf,
  FIXTURES,
  goldenLogits,
  openGolden,
  worstLogit,
} from '../doubles/models/golden-llama.ts'
import { floats, relativeError } from '../doubles/models/safetensors.ts'

const TOLERANCE = 1e-4
const { cases } = JSON.parse(readFileSync(join(FIXTURES, 'families.json'), 'utf8')) as {
  cases: string[]
}

describe.each(cases)('%s', (name) => {
  test('logits are transformers’ within 1e-4', async () => {
    const golden = await openGolden(name)
    const logits = await goldenLogits(golden, batchOf(golden.expected))
    expect(worstLogit(logits, golden.expected)).toBeLessThan(TOLERANCE)
  })

  test('loss and every gradient of full fine-tuning are PyTorch’s', async () => {
    const { model, weights, expected } = await openGolden(name)
    const session = await openTraining({
      model,
      weights,
      method: bind(full, { learningRateScale: 1 }),
      seed: 0,
      maxPositions: 16,
      device: { name: 'cpu', threads: 1 },
    })
    const { loss, flat } = await session.gradients(batchOf(expected))
    expect(Math.abs(loss - floats(expected, 'loss')[0]!)).toBeLessThan(TOLERANCE)
    const views = namedViews(session.table, flat)
    expect(views.size).toBe(model.weights.size)
    for (const [weight, { data }] of views) {
      const { data: stored } = asStored(data, model.weights.get(weight)!)
      const reference = floats(expected, `full.grad.${weight}`)
      expect(relativeError(stored, reference), weight).toBeLessThan(TOLERANCE)
    }
    await session.release()
  })
})
