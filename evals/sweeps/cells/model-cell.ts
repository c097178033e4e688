/** @file One cell of a language model: a fine-tune that is evaluated during training and at its end, and not kept. */
import { allTuned } from '../../arms/arm-adapter.ts'
import { templateVariablesOf } from '../../models/text/template-variables.ts'
import { evaluateBase } from '../../audit/evaluate-models.ts'
import { TaskConfig } from '../../audit/tasks/config.ts'
import { openTask } from '../../audit/tasks/kept-base.ts'
import { findTask } from '../../audit/tasks/registry.ts'
import { examplesDigest, runArm } from '../../arms/arm.ts'
import type { ArmPlan } from '../../arms/arm-plan.ts'
import { identityOf, openBase, type Base } from '../../measure/base.ts'
import { prepareBenchmarks, type PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import { benchmarkRow, type EvaluationPlan } from '../../measure/evaluate.ts'
import { fittedExamples } from '../../arms/examples.ts'
import { classedExamples } from '../../measure/classes.ts'
import { isEncoder } from '../../models/registry.ts'
import { neutralTexts, trainingData, type TrainingData } from '../../measure/sources.ts'
import { scanSpectra } from '../../measure/arm-spectra.ts'
import type { Message } from '../../contract/rows.ts'
import type { CellIdentity, ModelCellSpec } from '../../contract/sweeps.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Conversation } from '../../data/format.ts'
import { bindMethod } from '../../finetune/registry.ts'
import { TrainingConfig } from '../../finetune/training/train.ts'
import type { Continuation } from '../../inference/continuation.ts'
import type { JobContext } from '../../contract/job.ts'
import { chooseDevice } from '../../runtime/device.ts'
import { chooseConversations, splitConversations } from './cell-data.ts'
import { gateIn } from './cell-gate.ts'
import { collectRows, measuresOf, type CellRows, type Measures } from './cell-measures.ts'
import { taskOf } from '../config.ts'
import { dataDigest, engineNumerics, modelDigest, promptsDigest } from './identity.ts'
import { replyErrors } from './reply-errors.ts'

/** Number of steps at which losses on neutral text and held-out rows are measured, to find the best step. */
const LOOKS = 10

/** Model, benchmarks and data shared by the cells of a plan; opened once per process. */
export interface CellInputs {
  readonly base: Base
  readonly benchmarks: readonly PreparedBenchmark[]
  readonly evaluation: EvaluationPlan
  readonly data: TrainingData | undefined
  /** What the base says to the benchmarks; asked once, when it is first needed. */
  readonly baseRows: (signal: AbortSignal) => Promise<CellRows>
}

type OpenInputs = Omit<CellInputs, 'baseRows'>

type InputsSpec = Pick<
  ModelCellSpec,
  'model' | 'data' | 'suite' | 'limit' | 'threads' | 'batchSize' | 'templateVars'
>

export async function openCellInputs(spec: InputsSpec): Promise<CellInputs> {
  const task = taskOf(spec.model)
  const opened = task === undefined ? await openModelInputs(spec) : await openTaskInputs(task, spec)
  let rows: Promise<CellRows> | undefined
  return { ...opened, baseRows: (signal) => (rows ??= askBase(opened, signal)) }
}

/** The base is trained where this machine has not trained it yet. */
async function openTaskInputs(task: string, { limit, threads }: InputsSpec): Promise<OpenInputs> {
  const training = findTask(task).training.arm
  const config = TaskConfig.parse({ task, limit, threads, training, device: 'cpu', methods: [] })
  const { base, benchmarks, data } = await openTask(config, engineNumerics())
  return {
    base,
    benchmarks,
    evaluation: { benchmarks, neutral: [], finished: [], judges: [] },
    data,
  }
}

async function openModelInputs(spec: InputsSpec): Promise<OpenInputs> {
  const { suite, limit } = spec
  const benchmarks = await prepareBenchmarks({ suite, limit, map: null, maxNewTokens: null })
  const neutral = await neutralTexts(benchmarks, spec.limit)
  const data = spec.data === '' ? undefined : await trainingData(spec.data)
  const device = chooseDevice('cpu', spec.threads)
  const variables = templateVariablesOf(spec.templateVars ?? null)
  const base = await openBase(spec.model, device, spec.batchSize, 'fp32', undefined, variables)
  const evaluation = { benchmarks, neutral, finished: [], judges: [] }
  return { base, benchmarks, evaluation, data }
}

async function askBase(inputs: OpenInputs, signal: AbortSignal) {
  const { rows, context } = collecting(inputs, '', signal)
  const { base } = inputs
  context.emit({
    type: 'subject',
    row: identityOf(base, base.open, { arm: 'base', title: 'Base' }),
  })
  await evaluateBase(inputs.base, inputs.evaluation, context)
  return rows
}

/** Counts of outcomes are stored of a cell, and no replies. */
function collecting(
  { benchmarks }: Pick<CellInputs, 'benchmarks'>,
  workspace: string,
  signal: AbortSignal,
) {
  const { rows, emit } = collectRows()
  const nothing = () => undefined
  const context: JobContext = { emit, seal: nothing, flush: nothing, signal, workspace }
  for (const prepared of benchmarks) emit({ type: 'benchmark', row: benchmarkRow(prepared) })
  return { rows, context }
}

/** Throws `sweep.changed` if model, suite or data differ from those of the plan. */
export function checkIdentity(inputs: CellInputs, identity: CellIdentity): void {
  const { base, evaluation, data } = inputs
  const found = [
    ['The model', modelDigest(base), identity.base],
    ['The suite', promptsDigest(evaluation), identity.prompts],
    ['The data', data && dataDigest(data), identity.data],
  ] as const
  const changed = found.find(([, now, planned]) => planned !== null && now !== planned)
  if (changed) throw new TouchstoneError('sweep.changed', { what: changed[0] })
}

export async function measureModel(
  spec: ModelCellSpec,
  inputs: CellInputs,
  workspace: string,
  signal: AbortSignal,
): Promise<Measures> {
  if (spec.method === null) {
    return measuresOf(await inputs.baseRows(signal), { arm: 'base', seed: 0, step: 0 })
  }
  const { rows, context } = collecting(inputs, workspace, signal)
  const plan = await armPlan(spec, inputs, signal)
  const arm = await runArm(inputs.base, plan, context)
  if (spec.spectra) await scanSpectra(inputs.base, allTuned(inputs.base, [arm]), context)
  const measures = measuresOf(rows, arm.key)
  if (!spec.gate) return measures
  return { ...measures, gate: gateIn(await inputs.baseRows(signal), rows, spec.gate.margin) }
}

async function armPlan(
  spec: ModelCellSpec,
  { base, evaluation, data }: CellInputs,
  signal: AbortSignal,
): Promise<ArmPlan> {
  const training = TrainingConfig.parse(spec.training)
  const { conversations, ...named } = data!
  const { training: rows, heldOut } = splitConversations(conversations)
  const chosen = { ...named, conversations: chooseConversations(rows, spec) }
  const isClassifying = isEncoder(base.model)
  const { examples } = isClassifying
    ? classedExamples(base, chosen, training.maxTokens)
    : await fittedExamples(base.open, chosen, training, signal)
  const benchmarksAt = suiteSteps(training.steps, spec.evalEvery)
  const held = heldOut.map(asContinuation)
  // Of noisy replies it matters whether they are fitted.
  const isNoisy = spec.labelNoise > 0 && !isClassifying && held.length > 0
  return {
    arm: spec.line,
    method: bindMethod({ name: spec.method!, config: spec.methodConfig }),
    seed: spec.seed,
    training,
    examples,
    dataDigest: examplesDigest(examples),
    evaluateAt: measuredSteps(training.steps, spec.evalEvery),
    evalTogether: spec.evalTogether ?? false,
    // Classes and numbers have no tokens to score.
    evaluation: {
      ...evaluation,
      heldOut: isClassifying ? [] : held,
      measures: isNoisy ? replyErrors(chosen.conversations.map(asContinuation), held) : [],
      benchmarksAt,
    },
  }
}

const asContinuation = (messages: Conversation, row: number): Continuation => ({
  key: `row ${row}`,
  before: turnsOf(messages).slice(0, -1),
  continuation: messages.at(-1)!.content,
})

/** Plain text has no preceding turns. */
const turnsOf = (messages: Conversation): readonly Message[] =>
  messages.filter((turn) => turn.role !== 'text')

/** About `LOOKS` steps, including the last. */
export function lookSteps(steps: number): number[] {
  const looks = Math.min(LOOKS, steps)
  return Array.from({ length: looks }, (_, i) => Math.round(((i + 1) * steps) / looks))
}

/** N, 2N, … and the last step. */
export function suiteSteps(steps: number, every: number | null): number[] {
  const count = every === null ? 0 : Math.ceil(steps / every) - 1
  return [...Array.from({ length: count }, (_, i) => (i + 1) * every!), steps]
}

/** All steps at which a state is measured, ascending. */
export const measuredSteps = (steps: number, every: number | null): number[] =>
  [...new Set([...lookSteps(steps), ...suiteSteps(steps, every)])].sort((a, b) => a - b)
