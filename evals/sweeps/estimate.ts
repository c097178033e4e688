/** @file Estimated time of the cells of a sweep, and what the estimate rests on. */
import {
  adapterNumbers,
  generationSeconds,
  measureRate,
  trainingSeconds,
  workSize,
  type AnswersToWrite,
} from '../audit/plan/estimate.ts'
import { tokensOf } from '../audit/plan/tokens.ts'
import type { ModelCellSpec, PlannedCell, TestbedCellSpec } from '../contract/sweeps.ts'
import { bindMethod } from '../finetune/registry.ts'
import { TrainingConfig } from '../finetune/training/train.ts'
import { chooseDevice } from '../runtime/device.ts'
import { canonicalJson } from '../files/canonical-json.ts'
import { counted } from '../contract/words.ts'
import { meanOf } from '../statistics/summary.ts'
import { passesOf, type Pass } from './cells/passes.ts'
import { MOST_LOOKS } from './findings.ts'
import { findTestbed } from './testbeds/find-testbed.ts'
import { splitConversations } from './cells/cell-data.ts'
import { lookSteps, measuredSteps, suiteSteps, type CellInputs } from './cells/model-cell.ts'

/** For one cell after another; `seconds` is undefined if a trial took too long. */
interface TimeEstimate {
  readonly seconds: number | undefined
  /** Of a training, along which peaks are tested for; 0 where there are none. */
  readonly looks: number
  /** What it rests on, for people. */
  readonly from: string
}

/** Seconds of one cell on a machine of that rate (floating-point operations per second). */
export type CellSeconds = (spec: ModelCellSpec, rate: number) => number

/** Trials that take longer are stopped. */
const PATIENCE_MS = 20_000
const NOISE = 'labelNoise'

/** Measures this machine's rate, or runs trials. */
export async function estimateTime(
  cells: readonly PlannedCell[],
  cellSeconds: CellSeconds | undefined,
): Promise<TimeEstimate> {
  const models = cells.map(({ spec }) => spec).filter((spec) => spec.kind === 'model')
  if (models.length === 0) return timeOfTrials(cells)
  const looks = Math.max(...models.map(looksIn))
  if (!cellSeconds) return { seconds: undefined, looks, from: 'is not estimated for tasks' }
  const rate = await measureRate(chooseDevice('cpu', models[0]!.threads))
  const seconds = models.reduce((sum, spec) => sum + cellSeconds(spec, rate), 0)
  return { seconds, looks, from: 'from this machine’s arithmetic rate, measured just now' }
}

function looksIn({ method, training, evalEvery }: ModelCellSpec): number {
  if (method === null) return 0
  return measuredSteps(TrainingConfig.parse(training).steps, evalEvery).length
}

/** Times one pass of each size; of more than a few sizes, the first, the middle and the last. */
async function timeOfTrials(cells: readonly PlannedCell[]): Promise<TimeEstimate> {
  const passes = passesOf(cells)
  const timed = new Map<string, number>()
  let looks = 0
  const signal = AbortSignal.timeout(PATIENCE_MS)
  try {
    for (const pass of sampled(passes)) {
      const trial = await timedTrial(pass, signal)
      timed.set(sizeOf(pass), trial.seconds)
      looks = Math.max(looks, trial.looks)
    }
  } catch (error) {
    if (!signal.aborted) throw error
    return {
      seconds: undefined,
      looks,
      from: `trials of this plan took more than ${PATIENCE_MS / 1000} s`,
    }
  }
  const mean = meanOf([...timed.values()])
  const seconds = passes.reduce((sum, pass) => sum + (timed.get(sizeOf(pass)) ?? mean), 0)
  return { seconds, looks, from: `from ${counted(timed.size, 'trial')} of this plan, run just now` }
}

/** Passes side by side tell their time from its beginning, so that one of each size is timed. */
function sampled(passes: readonly Pass[]): readonly Pass[] {
  const last = passes.length - 1
  const isTold = passes.every((pass) => togetherOf(pass) !== undefined)
  if (isTold) return [...new Map(passes.map((pass) => [sizeOf(pass), pass])).values()]
  return [...new Set([0, last >> 1, last])].map((at) => passes[at]!)
}

const specOf = ({ cells: [{ spec }] }: Pass) => spec as TestbedCellSpec
const togetherOf = (pass: Pass) => findTestbed(specOf(pass).testbed).together

/** Seeds and the share of wrong labels change no time. */
const sizeOf = (pass: Pass): string => canonicalJson({ ...specOf(pass).parameters, [NOISE]: null })

async function timedTrial(pass: Pass, signal: AbortSignal) {
  signal.throwIfAborted()
  const { testbed: name, parameters: given, seed } = specOf(pass)
  const testbed = findTestbed(name)
  const parameters = testbed.config.parse(given)
  if (testbed.together)
    return { seconds: await testbed.together.seconds(parameters), looks: MOST_LOOKS }
  const began = performance.now()
  const { curve = [] } = await testbed.run(parameters, seed, signal)
  const looks = new Set(curve.map(({ x }) => x)).size
  return { seconds: (performance.now() - began) / 1000, looks }
}

type Work = Omit<AnswersToWrite, 'batchSize'>

/** What is asked of a state, and what is scored of it at every measurement. */
function worksOf({ benchmarks, evaluation, data }: CellInputs) {
  const conversations = data?.conversations ?? []
  const { training, heldOut } = splitConversations(conversations)
  const rowTokens = tokensOf(conversations.map(textOf))
  const rows = (count: number): Work => ({ prompts: count, promptTokens: rowTokens, newTokens: 0 })
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
  // Errors of noisy replies are looked at as the losses are.
  const looks = ({ labelNoise, samples }: Pick<ModelCellSpec, 'labelNoise' | 'samples'>) => [
    neutral,
    rows(heldOut.length),
    ...(labelNoise > 0 ? [rows(heldOut.length), rows(samples ?? training.length)] : []),
  ]
  return { suite, neutral, rowTokens, looks }
}

/** Training, the suite if it is evaluated, and both test losses at every measurement. */
export function cellSecondsOn(inputs: CellInputs): CellSeconds {
  const size = workSize(inputs.base.model.weights)
  const { suite, neutral, rowTokens, looks } = worksOf(inputs)
  return (spec, rate) => {
    const { method, methodConfig, training, evalEvery, batchSize } = spec
    const asked = (works: readonly Work[], times: number) =>
      works.reduce((sum, work) => {
        return sum + times * generationSeconds(size, rate, { ...work, batchSize })
      }, 0)
    if (method === null) return asked([...suite, neutral], 1)
    const config = TrainingConfig.parse(training)
    const { steps, gradientAccumulationSteps } = config
    const tokens = config.batchSize * gradientAccumulationSteps * rowTokens
    const isFrozen = !bindMethod({ name: method, config: methodConfig }).trainable
    const { rank } = methodConfig
    const added = typeof rank === 'number' ? adapterNumbers(size, rank) : 0
    return (
      trainingSeconds(size, rate, steps, tokens, isFrozen, added) +
      asked(suite, suiteSteps(steps, evalEvery).length) +
      asked(looks(spec), lookSteps(steps).length)
    )
  }
}

const textOf = (messages: readonly { content: string }[]): string =>
  messages.map(({ content }) => content).join('')
