/** @file The arms that an audit trains: data tokenised once, one plan per method and seed. */
import { emitLog, type JobContext } from '../contract/job.ts'
import { usageError } from '../errors/touchstone-error.ts'
import type { Example } from '../finetune/training/dataset.ts'
import { bindMethod } from '../finetune/registry.ts'
import { examplesDigest } from '../arms/arm.ts'
import type { ArmPlan, FinishedArm } from '../arms/arm-plan.ts'
import { allTuned } from '../arms/arm-adapter.ts'
import type { Base } from '../measure/base.ts'
import { classedExamples } from '../measure/classes.ts'
import { isEncoder } from '../models/registry.ts'
import type { AuditConfig } from './config.ts'
import { armNameOf } from '../finetune/method-choice.ts'
import type { EvaluationPlan } from '../measure/evaluate.ts'
import { fittedExamples } from '../arms/examples.ts'
import { refusalMarginPlan, type RefusalMarginPlan } from '../measure/live-refusal-margin.ts'
import { lintCounts, trainingData, type TrainingData } from '../measure/sources.ts'
import { onTheWay, scanSpectra } from '../measure/arm-spectra.ts'
import { evaluationSteps } from '../contract/gate/steps.ts'

const NO_MARGIN =
  'The refusal margin is not measured in training: no prompt of the suite should be refused or answered.'

/** Token ids are int32. */
const TOKEN_BYTES = 4

interface Training {
  readonly base: Base
  /** Undefined if no method is named. */
  readonly data: TrainingData | undefined
  readonly config: AuditConfig
  readonly evaluation: EvaluationPlan | undefined
}

export async function armPlans(training: Training, context: JobContext): Promise<ArmPlan[]> {
  const { base, data, config, evaluation } = training
  if (data === undefined) return []
  const examples = await (isEncoder(base.model) ? classed : tokenise)(base, data, config, context)
  const dataDigest = examplesDigest(examples)
  const tokens = examples.reduce((sum, { ids }) => sum + ids.length, 0)
  const role = `training data as tokens and labels, ${examples.length} rows`
  const lint = lintCounts(data, evaluation?.benchmarks ?? [])
  const content = { kind: 'training-data', rows: examples.length, tokens, lint } as const
  const row = {
    role,
    path: config.data ?? data.title,
    digest: dataDigest,
    bytes: tokens * TOKEN_BYTES,
    content,
  }
  context.emit({ type: 'artifact', row })
  const shared = {
    training: config.training,
    examples,
    dataDigest,
    evaluation,
    evaluateAt: evaluation
      ? evaluationSteps(config.training.steps, config.evalEvery)
      : [config.training.steps],
    evalTogether: config.evalTogether,
    refusalMargin: refusalMarginOf(training, context),
    onEvaluated: scanOf(training, context),
  }
  return config.seeds.flatMap((seed) =>
    config.methods.map((choice) => {
      return { arm: armNameOf(choice), method: bindMethod(choice), seed, ...shared }
    }),
  )
}

function refusalMarginOf(
  { config, evaluation }: Training,
  { emit }: JobContext,
): RefusalMarginPlan | undefined {
  const plan = refusalMarginPlan(
    config.leaningEvery,
    (evaluation?.benchmarks ?? []).filter(({ context }) => !context),
  )
  if (config.leaningEvery !== null && !plan) emitLog({ emit }, 'warn', NO_MARGIN)
  return plan
}

export const scanOf = ({ base, config }: Pick<Training, 'base' | 'config'>, context: JobContext) =>
  config.spectra && config.spectraEvery
    ? (state: FinishedArm) => scanSpectra(base, allTuned(base, [state]), context, onTheWay(config))
    : undefined

/** The training data; throws `usage.invalid` if none is named. */
export async function dataOf({ data }: Pick<AuditConfig, 'data'>): Promise<TrainingData> {
  if (data !== null) return trainingData(data)
  throw usageError(
    'A method was named, but no data to fine-tune on.',
    'Add --data FILE, or name no --methods.',
  )
}

async function classed(
  base: Base,
  data: TrainingData,
  { training }: AuditConfig,
  { emit }: JobContext,
): Promise<readonly Example[]> {
  for (const message of data.remarks ?? []) emitLog({ emit }, 'warn', message)
  const { examples, cut } = classedExamples(base, data, training.maxTokens)
  const message = `${data.title}: ${cut} of ${examples.length} texts lost their end.`
  if (cut > 0) emitLog({ emit }, 'warn', message)
  return examples
}

/** Rows that take some seconds to tokenise: so many are told of as they are read, every so many. */
const MANY_ROWS = 20_000
const ROWS_A_WORD = 5_000

async function withProgress<T>(
  total: number,
  emit: JobContext['emit'],
  read: (onRow?: (done: number) => void) => Promise<T>,
): Promise<T> {
  if (total < MANY_ROWS) return read()
  const phase = 'tokenise'
  emit({ type: 'phase-start', phase, total, unit: 'row' })
  const found = await read((done) => {
    if (done % ROWS_A_WORD === 0) emit({ type: 'phase-progress', phase, done })
  })
  emit({ type: 'phase-end', phase })
  return found
}

export async function tokenise(
  { open }: Base,
  data: Omit<TrainingData, 'tampering'>,
  { training }: Pick<AuditConfig, 'training'>,
  { emit, signal }: Pick<JobContext, 'emit' | 'signal'>,
): Promise<readonly Example[]> {
  const { title, conversations, remarks = [] } = data
  for (const message of remarks) emitLog({ emit }, 'warn', message)
  const fitted = await withProgress(conversations.length, emit, (onRow) =>
    fittedExamples(open, data, training, signal, onRow),
  )
  if (fitted.unlocated > 0) {
    const share = `${fitted.unlocated} of ${conversations.length} rows`
    const message = `${title}: ${share} were left out (--skip-unlocated), since their replies cannot be located in what the chat template writes.`
    emitLog({ emit }, 'warn', message)
  }
  if (fitted.truncated > 0) {
    emitLog(
      { emit },
      'warn',
      `${title}: ${fitted.truncated} of ${conversations.length} rows have more than ${training.maxTokens} tokens (--truncation ${training.truncation}); ${fitted.dropped} rows had nothing left to learn and were left out.`,
    )
  }
  return fitted.examples
}
