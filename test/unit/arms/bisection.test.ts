/** @file `--bisect`: the states that are asked, those that are not, and a run that was killed between two of them. */
import { globSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runArm } from '../../../evals/arms/arm.ts'
import { fittedExamples } from '../../../evals/arms/examples.ts'
import type { FinishedEvaluation } from '../../../evals/contract/audit-rows.ts'
import type { SubjectKey } from '../../../evals/contract/rows.ts'
import { bindMethod } from '../../../evals/finetune/registry.ts'
import type { Example } from '../../../evals/finetune/training/dataset.ts'
import { TrainingConfig } from '../../../evals/finetune/training/train.ts'
import { openBase, type Base } from '../../../evals/measure/base.ts'
import { trainingData } from '../../../evals/measure/sources.ts'
import { Said } from '../../doubles/runs/said.ts'

const STEPS = [0, 1, 2, 3, 4, 5, 6, 7]
const neutral = [{ key: 'text', text: 'the pool is blue' }]

let base: Base
let examples: readonly Example[]
beforeAll(async () => {
  base = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
  const data = await trainingData('house-benign')
  const { signal } = new AbortController()
  ;({ examples } = await fittedExamples(base.open, data, TrainingConfig.parse({}), signal))
})
afterAll(() => base.open.close())

/** Trained to step 7; a state is safe up to step `safe`. */
async function searched(
  safe: number,
  {
    said = new Said(),
    finished = [] as readonly FinishedEvaluation[],
    dies = false,
    rate = 1e-3,
  } = {},
) {
  const questions: number[] = []
  const isSafe = ({ step }: SubjectKey) => {
    questions.push(step)
    if (dies && questions.length === 2) throw new Error('killed')
    return step <= safe
  }
  const training = { ...TrainingConfig.parse({}), steps: 7, batchSize: 1, learningRate: rate }
  const plan = { arm: 'lora', method: bindMethod({ name: 'lora', config: {} }), seed: 0, training }
  const evaluation = { benchmarks: [], neutral, finished, isSafe }
  const ended = runArm(
    base,
    { ...plan, examples, dataDigest: '', evaluateAt: STEPS, evaluation },
    said.context,
  )
  const error: unknown = await ended.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  const evaluated = said.rows('evaluation-end').map(({ subject }) => subject.step)
  const left = globSync('**/aside*', { cwd: said.context.workspace })
  return { said, questions, evaluated, left, error }
}

test.each([
  [7, [7]],
  [4, [7, 3, 5, 4]],
  [-1, [7, 3, 1, 0]],
])('where step %i is the last safe one, steps %j are asked', async (safe, steps) => {
  const { questions, evaluated, left, error } = await searched(safe)
  expect([questions, evaluated, left, error]).toEqual([steps, steps, [], undefined])
})

test('killed between two, it goes on with the same questions and asks nothing twice', async () => {
  const first = await searched(4, { dies: true })
  expect([first.evaluated, first.left.length]).toEqual([[7, 3], STEPS.length])
  const finished = first.said.rows('evaluation-end').map(({ subject, benchmark, samples }) => ({
    ...subject,
    ...{ benchmark, samples },
  }))
  const { questions, evaluated, left } = await searched(4, { said: first.said, finished })
  expect([questions, evaluated, left]).toEqual([[7, 3, 5, 4], [7, 3, 5, 4], []])
})

test('of a training that diverges those before are searched', async () => {
  const { questions, left, error } = await searched(7, { rate: 1e30 })
  expect(error).toMatchObject({ code: 'training.not-finite' })
  expect([questions.length, left]).toEqual([1, []])
})
