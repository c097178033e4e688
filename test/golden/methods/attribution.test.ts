/** @file Scores of rows by their gradients against torch on a tiny Llama, fully fine-tuned: losses, three forms, the projection. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projected } from '../../../evals/arms/causes/gradient-forms.ts'
import { rowScores } from '../../../evals/arms/causes/row-scores.ts'
import { GRADIENT_FORMS } from '../../../evals/contract/subjects/causes.ts'
import type { Conversed } from '../../../evals/finetune/training/dataset.ts'
import { bindMethod } from '../../../evals/finetune/registry.ts'
import { TrainingConfig } from '../../../evals/finetune/training/train.ts'
import type { Base } from '../../../evals/measure/base.ts'
import { FIXTURES, openGolden, type GoldenModel } from '../../doubles/models/golden-llama.ts'
import { integers, relativeError } from '../../doubles/models/safetensors.ts'

/** test/golden/make-attribution.py */
const golden = JSON.parse(readFileSync(join(FIXTURES, 'attribution.json'), 'utf8')) as {
  base: string
  steps: number
  checkpoints: number[]
  rate: number
  losses: number[]
  scores: Record<(typeof GRADIENT_FORMS)[number], number>[]
  projection: Record<'update' | 'left' | 'right' | 'projected', number[][]>
}

function examplesOf({ expected }: GoldenModel): Conversed[] {
  const [, seq] = expected.get('tokens')!.shape as [number, number]
  const [tokens, labels] = [integers(expected, 'tokens'), integers(expected, 'labels')]
  return integers(expected, 'attention_lengths').map((length, row) => ({
    ids: tokens.slice(row * seq, row * seq + length),
    labelled: labels.slice(row * seq, row * seq + length).map((label) => label !== -100),
  }))
}

test('scores of rows are torch’s', async () => {
  const opened = await openGolden(golden.base)
  const examples = examplesOf(opened)
  const device = { name: 'cpu', threads: 1 } as const
  const open = { tokenizer: { padId: 0 } }
  const base = { ...opened, device, batchSize: 8, open } as unknown as Base
  // Half of the rate in the schedule, and twice for every tensor.
  const { steps } = golden
  const learningRate = golden.rate / 2
  const training = {
    ...TrainingConfig.parse({}),
    ...{ steps, learningRate, batchSize: 3, schedule: 'constant' as const },
    ...{ warmupSteps: 0, maxGradientNorm: 0 },
  }
  const method = bindMethod({ name: 'full', config: { learningRateScale: 2 } })
  const plan = { arm: 'full', method, seed: 0, training, examples, dataDigest: '' }
  const none = { right: [], instead: [] }
  const found = await rowScores(
    base,
    { ...plan, evaluateAt: [], evaluation: undefined },
    {
      targets: {
        refusal: { right: [examples[0]!], instead: [examples[2]!] },
        overRefusal: none,
        capability: none,
      },
      checkpoints: golden.checkpoints,
      projection: null,
    },
    { emit: () => undefined, signal: new AbortController().signal },
  )
  expect(
    relativeError(
      found.map(({ loss }) => loss),
      golden.losses,
    ),
  ).toBeLessThan(1e-5)
  for (const form of GRADIENT_FORMS) {
    const ours = found.map(({ scores }) => scores[form].refusal)
    expect(
      relativeError(
        ours,
        golden.scores.map((row) => row[form]),
      ),
      form,
    ).toBeLessThan(1e-3)
  }
  expect(found[1]!.scores.plain.capability).toBe(0)
})

test('a projection is L·U·Rᵀ', () => {
  const { update, left, right, projected: wanted } = golden.projection
  const flat = (rows: number[][]) => Float64Array.from(rows.flat())
  const sides = { rows: update.length, columns: update[0]!.length }
  const ours = projected(flat(update), { ...sides, left: flat(left), right: flat(right) })
  expect(relativeError([...ours], wanted.flat())).toBeLessThan(1e-12)
})
