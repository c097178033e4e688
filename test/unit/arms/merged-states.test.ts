/** @file A lone adapter is merged before it is asked: the replies, verdicts and losses of the adapter beside the base. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tunedOf } from '../../../evals/arms/arm-adapter.ts'
import { runArm } from '../../../evals/arms/arm.ts'
import type { FinishedArm } from '../../../evals/arms/arm-plan.ts'
import { fittedExamples } from '../../../evals/arms/examples.ts'
import { bindMethod } from '../../../evals/finetune/registry.ts'
import type { Example } from '../../../evals/finetune/training/dataset.ts'
import { TrainingConfig } from '../../../evals/finetune/training/train.ts'
import type { ModelState } from '../../../evals/inference/cached-graph.ts'
import { identityOf, openBase, tunedState, type Base } from '../../../evals/measure/base.ts'
import {
  prepareBenchmarks,
  type PreparedBenchmark,
} from '../../../evals/measure/benchmark-sources.ts'
import { evaluate } from '../../../evals/measure/evaluate.ts'
import { openStateSubject } from '../../../evals/measure/open-subject.ts'
import { trainingData } from '../../../evals/measure/sources.ts'
import { overlaid } from '../../../evals/models/weights/small-weights.ts'
import { Said } from '../../doubles/runs/said.ts'

const KEY = { arm: 'tuned', seed: 0, step: 4 }
const neutral = [{ key: 'text', text: 'the pool is blue' }]
const training = {
  ...TrainingConfig.parse({}),
  ...{ steps: 4, batchSize: 4, learningRate: 0.01, warmupSteps: 0 },
}

let base: Base
let benchmarks: PreparedBenchmark[]
let examples: readonly Example[]
beforeAll(async () => {
  base = await openBase('pebble', { name: 'cpu', threads: 1 }, 16)
  benchmarks = await prepareBenchmarks({ suite: ['house'], limit: 2, map: null, maxNewTokens: 8 })
  const { signal } = new AbortController()
  const data = await trainingData('house-benign')
  ;({ examples } = await fittedExamples(base.open, data, training, signal))
})
afterAll(() => base.open.close())

/** Trained, and asked by the arm at its last step. */
async function trained(name: string) {
  const said = new Said()
  const evaluation = { benchmarks, neutral, finished: [] }
  const plan = {
    arm: 'tuned',
    method: bindMethod({ name, config: {} }),
    seed: 0,
    training,
    examples,
  }
  const arm = await runArm(
    base,
    { ...plan, dataDigest: '', evaluateAt: [4], evaluation },
    said.context,
  )
  return { said, arm }
}

async function asked(state: ModelState): Promise<Said> {
  const said = new Said()
  const identity = identityOf(base, base.open, { arm: 'tuned', title: '' })
  const { subject, release } = await openStateSubject(base, identity, state)
  await evaluate(subject, KEY, { benchmarks, neutral, finished: [] }, said.context)
  await release()
  return said
}

/** The adapter beside the weights that it began with. */
function beside({ plan, parameters, prepared }: FinishedArm): ModelState {
  const own = new Map([...parameters].map(([name, { data }]) => [name, data]))
  const start = prepared.weights ? overlaid(base.weights, prepared.weights) : base.weights
  return { model: base.model, frozen: overlaid(start, own), method: plan.method }
}

const numbers = (said: Said) => [
  ...said.rows('reply').map(({ row }) => row.meanLogProb!),
  ...said.rows('metric').flatMap(({ row }) => (row.name.startsWith('train/') ? [] : row.value)),
]
const words = (said: Said) => ({
  replies: said.rows('reply').map(({ row }) => ({ ...row, meanLogProb: 0 })),
  sealed: said.sealed,
  verdicts: said.rows('verdict').map(({ row }) => row),
})

test.each(['lora', 'dora'])('%s', async (name) => {
  const { said, arm } = await trained(name)
  const merged = await asked(tunedState(base, tunedOf(base, arm).weights))
  const apart = await asked(beside(arm))
  expect(words(merged)).toEqual(words(apart))
  numbers(merged).forEach((value, i) => expect(value).toBeCloseTo(numbers(apart)[i]!, 3))
  // The arm itself was asked merged: the same bits.
  expect(words(said)).toEqual(words(merged))
  expect(numbers(said)).toEqual(numbers(merged))
  const unchanged = await asked({ model: base.model, frozen: base.weights })
  expect(numbers(unchanged)).not.toEqual(numbers(merged))
})
