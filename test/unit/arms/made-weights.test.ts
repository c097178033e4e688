/** @file Methods that are asked as weights made of their state: both states of a cut model, and what is asked is what is exported. */
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { tunedOf } from '../../../evals/arms/arm-adapter.ts'
import { runArm } from '../../../evals/arms/arm.ts'
import { fittedExamples } from '../../../evals/arms/examples.ts'
import type { JobContext } from '../../../evals/contract/job.ts'
import { bindMethod } from '../../../evals/finetune/registry.ts'
import { TrainingConfig } from '../../../evals/finetune/training/train.ts'
import { openBase } from '../../../evals/measure/base.ts'
import { trainingData } from '../../../evals/measure/sources.ts'
import { collectRows } from '../../../evals/sweeps/cells/cell-measures.ts'
import { writeTinyCheckpoint } from '../../doubles/models/tiny-checkpoint.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'

const folder = freshFolder()
const path = await writeTinyCheckpoint(join(folder, 'base'), {
  ...{ tokenizer: 'byte', hiddenSize: 32 },
})
const base = await openBase(path, { name: 'cpu', threads: 1 }, 4)
afterAll(() => base.open.close())
const { signal } = new AbortController()
const training = {
  ...TrainingConfig.parse({}),
  steps: 1,
  batchSize: 2,
  maxTokens: 256,
  warmupSteps: 0,
}
const { conversations, title } = await trainingData('house-benign')
const few = { title, conversations: conversations.slice(0, 4) }
const { examples } = await fittedExamples(base.open, few, training, signal)

async function audited(name: string, config: object) {
  const { rows, emit } = collectRows()
  const context: JobContext = {
    ...{ emit, seal: () => undefined, flush: () => undefined, workspace: freshFolder(), signal },
  }
  const finished = await runArm(
    base,
    {
      ...{
        arm: name,
        method: bindMethod({ name, config: { ...config } }),
        seed: 0,
        training,
        examples,
      },
      ...{ dataDigest: '', evaluateAt: [0, 1], evalTogether: true },
      evaluation: {
        benchmarks: [],
        neutral: [{ key: 'text', text: 'the pool is blue' }],
        finished: [],
      },
    },
    context,
  )
  const losses = new Map(
    rows.metrics
      .filter((row) => row.name === 'neutral/loss')
      .map(({ arm, step, value }) => [`${arm} ${step}`, value]),
  )
  return { rows, losses, finished }
}

const plain = await audited('lora', { rank: 2 })

test('a cut model is asked before it is recovered too, as an arm of its own', async () => {
  const { rows, losses, finished } = await audited('loram', { rank: 2, prune: 0.5 })
  expect([...losses.keys()]).toEqual(['loram 0', 'loram:pruned 0', 'loram 1', 'loram:pruned 1'])
  // Recovered it begins as the base, which the cut model is not.
  expect(losses.get('loram 0')).toBe(plain.losses.get('lora 0'))
  expect(losses.get('loram:pruned 0')).not.toBe(losses.get('loram 0'))
  expect(new Set([...losses.values()]).size).toBe(4)
  const titles = new Map(rows.subjects.map(({ arm, title: own }) => [arm, own]))
  expect(titles.get('loram:pruned')).toMatch(/before it is recovered/u)
  expect(tunedOf(base, finished).weights.lowRank?.size).toBe(14)
})

test('what LQ-LoRA ends in are whole weights, other than the base from the start', async () => {
  const { losses, finished } = await audited('lq-lora', { rank: 2 })
  expect(losses.get('lq-lora 0')).not.toBe(plain.losses.get('lora 0'))
  const { weights } = tunedOf(base, finished)
  expect(weights.lowRank).toBeUndefined()
  const name = 'model.layers.0.self_attn.q_proj.weight'
  expect(weights.read(name)).not.toEqual(base.weights.get(name))
  expect(weights.read('model.norm.weight')).toEqual(base.weights.get('model.norm.weight'))
})
