/** @file Estimated time of the cells of a sweep, and what the estimate rests on. */
import {
  generationSeconds,
  measureRate,
  trainingSeconds,
  workSize,
  type AnswersToWrite,
} from '../audit/plan/estimate.ts'
import { tokensOf } from '../audit/plan/plan.ts'
import type { ModelCellSpec, PlannedCell, TestbedCellSpec } from '../contract/sweeps.ts'
import { bindMethod } from '../finetune/registry.ts'
import { TrainingConfig } from '../finetune/training/train.ts'
import { chooseDevice } from '../runtime/device.ts'
import { findTestbed } from './testbeds/find-testbed.ts'
import { splitConversations } from './cells/cell-data.ts'
import { lookSteps, suiteSteps, type CellInputs } from './cells/model-cell.ts'

/** For one cell after another; `seconds` is undefined if a trial took too long. */
interface TimeEstimate {
  readonly seconds: number | undefined
  /** What it rests on, for people. */
  readonly from: string
}

/** Seconds of one cell on a machine of that rate (floating-point operations per second). */
export type CellSeconds = (spec: ModelCellSpec, rate: number) => number

/** Trials that take longer are stopped. */
const PATIENCE_MS = 20_000
const TRIALS = 3

/** Measures this machine's rate, or runs up to three trials. */
export async function estimateTime(
  cells: readonly PlannedCell[],
  cellSeconds: CellSeconds | undefined,
): Promise<TimeEstimate> {
  const specs = cells.map(({ spec }) => spec)
  const trials = specs.filter((spec) => spec.kind === 'testbed')
  if (!cellSeconds) return timeOfTrials(trials)
  const models = specs.filter((spec) => spec.kind === 'model')
  const rate = await measureRate(chooseDevice('cpu', models[0]!.threads))
  const seconds = models.reduce((sum, spec) => sum + cellSeconds(spec, rate), 0)
  return { seconds, from: 'from this machine’s arithmetic rate, measured just now' }
}

/** The first, the middle and the last of the plan. */
async function timeOfTrials(specs: readonly TestbedCellSpec[]): Promise<TimeEstimate> {
  const last = specs.length - 1
  const chosen = [...new Set([0, last >> 1, last])].slice(0, TRIALS).map((at) => specs[at]!)
  const began = performance.now()
  const signal = AbortSignal.timeout(PATIENCE_MS)
  try {
    for (const { testbed, parameters, seed } of chosen) {
      const found = findTestbed(testbed)
      await found.run(found.config.parse(parameters), seed, signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
    return { seconds: undefined, from: `${chosen.length} trials took more than 20 s` }
  }
  const each = (performance.now() - began) / 1000 / chosen.length
  const from = `from ${chosen.length} trials of this plan, run just now`
  return { seconds: each * specs.length, from }
}

/** Training, the suite if it is evaluated, and both test losses at every measurement. */
export function cellSecondsOn(inputs: CellInputs): CellSeconds {
  const { base, benchmarks, evaluation, data } = inputs
  const size = workSize(base.model.weights)
  const rowTokens = tokensOf((data?.conversations ?? []).map(textOf))
  const suite = benchmarks.map(({ benchmark, samples }) => ({
    prompts: samples.length,
    promptTokens: tokensOf(samples.map(({ messages }) => textOf(messages))),
    newTokens: benchmark.maxNewTokens,
  }))
  const neutral = {
    prompts: evaluation.neutral.length,
    promptTokens: tokensOf(evaluation.neutral.map(({ text }) => text)),
    newTokens: 0,
  }
  const heldOut = {
    prompts: splitConversations(data?.conversations ?? []).heldOut.length,
    promptTokens: rowTokens,
    newTokens: 0,
  }
  return ({ method, methodConfig, training, evalEvery, batchSize }, rate) => {
    const asked = (works: readonly Omit<AnswersToWrite, 'batchSize'>[], times: number) =>
      works.reduce((sum, work) => {
        return sum + times * generationSeconds(size, rate, { ...work, batchSize })
      }, 0)
    if (method === null) return asked([...suite, neutral], 1)
    const config = TrainingConfig.parse(training)
    const { steps, gradientAccumulationSteps } = config
    const tokens = config.batchSize * gradientAccumulationSteps * rowTokens
    const isFrozen = !bindMethod({ name: method, config: methodConfig }).trainable
    return (
      trainingSeconds(size, rate, steps, tokens, isFrozen) +
      asked(suite, suiteSteps(steps, evalEvery).length) +
      asked([neutral, heldOut], lookSteps(steps).length)
    )
  }
}

const textOf = (messages: readonly { content: string }[]): string =>
  messages.map(({ content }) => content).join('')
