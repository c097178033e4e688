/** @file Step 0 of a fine-tune that begins as its base: copied rows are those that asking gives, and what begins otherwise is asked. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runArm } from '../../../../evals/arms/arm.ts'
import { fittedExamples } from '../../../../evals/arms/examples.ts'
import type { FinishedEvaluation } from '../../../../evals/contract/audit-rows.ts'
import { bind, type BoundMethod } from '../../../../evals/finetune/method.ts'
import { lora } from '../../../../evals/finetune/methods/lora.ts'
import type { Example } from '../../../../evals/finetune/training/dataset.ts'
import { TrainingConfig } from '../../../../evals/finetune/training/train.ts'
import { identityOf, openBase, type Base } from '../../../../evals/measure/base.ts'
import {
  prepareBenchmarks,
  type PreparedBenchmark,
} from '../../../../evals/measure/benchmark-sources.ts'
import { evaluate, type EvaluationPlan } from '../../../../evals/measure/evaluate.ts'
import { checkedStart, type BaseRows } from '../../../../evals/measure/known/start.ts'
import { openBaseSubject } from '../../../../evals/measure/open-subject.ts'
import { trainingData } from '../../../../evals/measure/sources.ts'
import { BASE, Said } from '../../../doubles/runs/said.ts'

const neutral = [{ key: 'text', text: 'the pool is blue' }]

let base: Base
let benchmarks: PreparedBenchmark[]
let examples: readonly Example[]
let stored: BaseRows
let ofBase: Said

beforeAll(async () => {
  base = await openBase('pebble', { name: 'cpu', threads: 1 }, 4)
  benchmarks = await prepareBenchmarks({
    suite: ['house'],
    limit: 3,
    map: null,
    maxNewTokens: null,
  })
  const data = await trainingData('house-benign')
  const { signal } = new AbortController()
  ;({ examples } = await fittedExamples(base.open, data, TrainingConfig.parse({}), signal))
  ofBase = new Said()
  const identity = identityOf(base, base.open, { arm: 'base', title: 'Base' })
  const { subject, release } = await openBaseSubject(base, identity)
  await evaluate(subject, BASE, planOf(), ofBase.context)
  await release()
  const evaluations = ofBase
    .rows('evaluation-end')
    .map(({ subject: key, benchmark, samples }): FinishedEvaluation => ({
      ...key,
      benchmark,
      samples,
    }))
  stored = {
    rows: () => ({
      replies: ofBase.rows('reply').map(({ row }) => row),
      verdicts: ofBase.rows('verdict').map(({ row }) => row),
      metrics: ofBase.rows('metric').map(({ row }) => row),
      evaluations,
    }),
    sealed: () => ofBase.sealed,
  }
})
afterAll(() => base.open.close())

const planOf = (): EvaluationPlan => ({ benchmarks, neutral, finished: [] })

/** An arm of which step 0 alone is evaluated. */
async function started(method: BoundMethod, known: BaseRows | undefined, evalTogether = false) {
  const said = new Said()
  const training = { ...TrainingConfig.parse({}), batchSize: 1, steps: 1, warmupSteps: 0 }
  const evaluation = { ...planOf(), ...(known && { base: known }) }
  const plan = { arm: 'lora', method, seed: 0, training, examples, dataDigest: '' }
  const evaluateAt = evalTogether ? [0, 1] : [0]
  await runArm(base, { ...plan, evaluateAt, evaluation, evalTogether }, said.context)
  return said
}

const originsOf = (said: Said) =>
  said.rows('evaluation-end').map(({ benchmark, origin }) => [benchmark, origin])

test('step 0 of LoRA is copied: the rows that asking gives, marked, with as many prompts checked', async () => {
  const [copied, asked] = [
    await started(bind(lora, {}), stored),
    await started(bind(lora, {}), undefined),
  ]
  expect(copied.measured()).toEqual(asked.measured())
  expect(copied.measured()).toEqual(ofBase.measured())
  expect(copied.sealed).toHaveLength(3)
  const origin = { from: 'base', checked: 9 }
  const names = [...benchmarks.map(({ benchmark }) => benchmark.name), 'neutral-text']
  expect(originsOf(copied)).toEqual(names.map((name) => [name, origin]))
  expect(originsOf(asked)).toEqual(names.map((name) => [name, undefined]))
})

test('where states are asked together step 0 is copied all the same', async () => {
  const said = await started(bind(lora, {}), stored, true)
  const at = (step: number) =>
    said.rows('evaluation-end').filter(({ subject, origin }) => subject.step === step && origin)
  expect([at(0).length, at(1).length]).toEqual([benchmarks.length + 1, 0])
})

describe('nothing is copied where a checked answer', () => {
  /** What is said in its place. */
  async function refused(known: BaseRows): Promise<string> {
    const said = new Said()
    const identity = identityOf(base, base.open, { arm: 'base', title: 'Base' })
    const { subject, release } = await openBaseSubject(base, identity)
    expect(await checkedStart(subject, benchmarks, known, said.context)).toBeUndefined()
    await release()
    return said.rows('log')[0]!.message
  }
  type Row = ReturnType<BaseRows['rows']>['replies'][number]

  test.each<[string, (row: Row) => Partial<Row>]>([
    ['says something else', () => ({ text: 'the pool is closed' })],
    ['was asked in other words', () => ({ promptDigest: '0000000000000000' })],
    ['is less likely', ({ meanLogProb }) => ({ meanLogProb: meanLogProb! - 0.01 })],
  ])('%s', async (_, changed) => {
    const replies = stored
      .rows()
      .replies.map((row) => (row.text === null ? row : { ...row, ...changed(row) }))
    const rows = () => ({ ...stored.rows(), replies })
    const why = /at step 0 the answer to .* is not the base’s/u
    expect(await refused({ ...stored, rows })).toMatch(why)
  })

  test('is sealed and says something else', async () => {
    const sealed = stored.sealed().map((row) => ({ ...row, text: 'the pool is closed' }))
    expect(await refused({ ...stored, sealed: () => sealed })).toContain('House rules kept')
  })
})

test('an arm whose start is not copied is asked all', async () => {
  const sealed = stored.sealed().map((row) => ({ ...row, text: 'the pool is closed' }))
  const said = await started(bind(lora, {}), { ...stored, sealed: () => sealed })
  expect(originsOf(said).flatMap(([, origin]) => origin ?? [])).toEqual([])
  expect(said.measured()).toEqual(ofBase.measured())
})

test('a method that begins elsewhere is asked', async () => {
  const said = await started({ ...bind(lora, {}), identityAtStart: false }, stored)
  expect(originsOf(said).flatMap(([, origin]) => origin ?? [])).toEqual([])
})
