/** @file The slope of a target is taken of no more replies at once than a step has rows: else it takes more memory than the plan counts. */
import { expect, test, vi } from 'vitest'
import { rowScores } from '../../../../evals/arms/causes/row-scores.ts'
import { bindMethod } from '../../../../evals/finetune/registry.ts'
import * as dataset from '../../../../evals/finetune/training/dataset.ts'
import { TrainingConfig } from '../../../../evals/finetune/training/train.ts'
import type { Base } from '../../../../evals/measure/base.ts'
import { openGolden } from '../../../doubles/models/golden-llama.ts'

vi.mock('../../../../evals/finetune/training/dataset.ts', async (original) => {
  const real = await original<typeof dataset>()
  return { ...real, makeBatch: vi.fn(real.makeBatch) }
})

const reply = {
  ids: [1, 2, 3, 4, 5, 6, 7, 8],
  labelled: Array<boolean>(4).fill(false).concat(Array<boolean>(4).fill(true)),
}

test.each([1, 3, 8])('with %i rows a step', async (batchSize) => {
  const opened = await openGolden('llama-untied-gqa')
  const device = { name: 'cpu', threads: 1 } as const
  const base = { ...opened, device, batchSize: 8, open: { tokenizer: { padId: 0 } } }
  const method = bindMethod({ name: 'full', config: {} })
  const training = { ...TrainingConfig.parse({}), steps: 1, batchSize, warmupSteps: 0 }
  const plan = { arm: 'full', method, seed: 0, training, examples: [reply, reply], dataDigest: '' }
  const target = { right: Array(10).fill(reply), instead: [reply] }
  const none = { right: [], instead: [] }
  const made = vi.mocked(dataset.makeBatch)
  made.mockClear()
  await rowScores(
    base as unknown as Base,
    { ...plan, evaluateAt: [], evaluation: undefined },
    {
      targets: { refusal: target, overRefusal: none, capability: none },
      checkpoints: [1],
      projection: null,
    },
    { emit: () => undefined, signal: new AbortController().signal },
  )
  const sizes = made.mock.calls.map(([rows]) => rows.length)
  expect(Math.max(...sizes)).toBe(batchSize)
  expect(sizes.reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(11 + 2)
})
