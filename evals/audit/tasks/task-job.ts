/** @file The job `task`: trains the base of a task, then audits fine-tunes of it. */
import { z } from 'zod'
import { emitLog, type JobContext, type JobKind } from '../../contract/job.ts'
import { GREEDY, type Expected, type Sample } from '../../contract/rows.ts'
import { findNamed } from '../../errors/names.ts'
import { isError, TouchstoneError } from '../../errors/touchstone-error.ts'
import { armNameOf } from '../../finetune/method-choice.ts'
import { choice } from '../../judges/choice.ts'
import { nearness } from '../../judges/nearness.ts'
import { spread, type PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import { asAudit, runAudit } from '../run-audit.ts'
import { armsOf } from './arms.ts'
import { TaskConfig } from './config.ts'
import { measurementsOf } from './measures.ts'
import { findTask } from './registry.ts'
import { sizesOf } from './sizes.ts'
import type { MeasuredPart, PreparedTask, TaskEntry } from './task.ts'
import {
  ASKED_TOGETHER,
  askedOfBase,
  companionWeights,
  dataOfRows,
  trainedBase,
  type BaseToTrain,
} from './trained-base.ts'

export const taskJob: JobKind<TaskConfig> = {
  name: 'task',
  config: TaskConfig,
  title: ({ task, base, methods }) =>
    `Task ${task}${base === null ? '' : ` (${base})`}, ${methods.map(armNameOf).join(' and ')}`,
  async plan(config) {
    const { entry, prepared } = await opened(config)
    const arms = armsOf(config).length * config.seeds.length
    const prompts = prepared.measured.reduce((sum, { rows }) => sum + rows.length, 0)
    const line = (what: string, count: number, unit: 'step' | 'prompt') => ({
      what,
      count,
      unit,
      seconds: null,
    })
    return [
      line(`Base of ${entry.title}`, baseTraining(config, entry).steps, 'step'),
      line(`${arms} fine-tunes`, arms * config.training.steps, 'step'),
      line('Rows of gain, retention and shift, at each checkpoint', prompts, 'prompt'),
    ]
  },
  async run(config, context, progress) {
    const { entry, base, prepared } = await opened(config)
    for (const message of prepared.remarks ?? []) emitLog(context, 'warn', message)
    const path = await trainedBase(baseToTrain(config, prepared, entry), context)
    const name = `task:${entry.name}`
    const benchmarks = prepared.measured.map((part) => benchmarkOf(entry, part, prepared, config))
    const { armRows, measures = [] } = await madeOfBase(path, prepared, config, context)
    const measured = measurementsOf(measures, context.workspace, config.training.steps)
    const own = { data: dataOfRows(name, armRows), benchmarks, measures: measured }
    const methods = armsOf(config)
    emitTask({ entry, base, prepared, sizes: sizesOf(prepared, methods) }, context)
    const given = { ...config, model: path, methods, suite: [name] }
    const audited = asAudit({ ...given, batchSize: ASKED_TOGETHER })
    await runAudit({ config: audited, evaluates: true, own }, context, progress)
  },
}

/** What an arm learns and what is measured, where the trained base makes them. */
async function madeOfBase(
  path: string,
  prepared: PreparedTask,
  config: TaskConfig,
  context: JobContext,
): Promise<Pick<PreparedTask, 'armRows' | 'measures'>> {
  const { fromBase, companion } = prepared
  if (!fromBase) return prepared
  const beside = companion && (await companionWeights(path, companion, config, context))
  return askedOfBase(path, config, context, (ask, network) => fromBase(ask, network, beside))
}

const benchmarkName = ({ name }: TaskEntry, { part }: MeasuredPart) => `${name}-${part}`

export async function opened(config: TaskConfig) {
  const entry = findTask(config.task)
  const [standard] = entry.bases
  const known = entry.bases.map((name) => ({ name }))
  const base = findNamed('base', known, config.base ?? standard!).name
  const task = await entry.load()
  const { training, limit } = config
  const { steps, batchSize } = baseTraining(config, entry)
  const reads = {
    base: steps * batchSize,
    arm: training.steps * training.batchSize * training.gradientAccumulationSteps,
    each: limit ?? Infinity,
  }
  const { baseSeed: seed, file } = config
  return {
    entry,
    base,
    prepared: await task.prepare({ base, seed, file, reads }).catch(asTaskError),
  }
}

/** Errors of table readers name benchmarks; here they name rows of a task. */
function asTaskError(error: unknown): never {
  if (!isError(error, 'benchmark.unreadable')) throw error
  throw new TouchstoneError('task.unreadable', error.values, { cause: error })
}

const baseTraining = ({ baseSteps }: TaskConfig, { training: { base } }: TaskEntry) => ({
  ...base,
  steps: baseSteps ?? base.steps,
})

export const baseToTrain = (
  config: TaskConfig,
  prepared: PreparedTask,
  entry: TaskEntry,
): BaseToTrain => ({
  model: prepared.model,
  rows: prepared.baseRows,
  training: baseTraining(config, entry),
  pretraining: pretrainingOf(config, prepared),
  config,
})

function pretrainingOf({ baseSteps }: TaskConfig, { pretraining }: PreparedTask) {
  if (!pretraining || baseSteps === null) return pretraining
  return { ...pretraining, training: { ...pretraining.training, steps: baseSteps } }
}

/** The rows of one part as a benchmark with the model's classes as options. */
export function benchmarkOf(
  entry: TaskEntry,
  part: MeasuredPart,
  prepared: PreparedTask,
  { limit }: TaskConfig,
): PreparedBenchmark {
  const name = benchmarkName(entry, part)
  const samples = part.rows.map(({ text, label, category, cluster }, i): Sample => ({
    id: String(i + 1),
    benchmark: name,
    category,
    cluster,
    messages: [{ role: 'user', content: text }],
    expected: expectedOf(label, prepared),
  }))
  return {
    benchmark: {
      name,
      title: part.title,
      citation: prepared.data.source,
      role: 'capability',
      row: z.unknown(),
      parse: () => samples,
      maxNewTokens: 1,
      judges: [prepared.aim ? nearness.name : choice.name],
      ...(part.part === 'gain' && { gain: 0 }),
    },
    ...(part.read && { read: part.read }),
    samples: spread(samples, limit),
    decoding: GREEDY,
  }
}

function expectedOf(label: string, { model, aim }: PreparedTask): Expected {
  if (aim) return { kind: 'values', target: label.split(' ').map(Number), ...aim }
  const options = Object.values(model.config['id2label'] as Record<string, string>)
  return { kind: 'choice', options, correct: options.indexOf(label) }
}

interface Opened {
  readonly entry: TaskEntry
  readonly base: string
  readonly prepared: PreparedTask
  readonly sizes: ReturnType<typeof sizesOf>
}

function emitTask({ entry, base, prepared, sizes }: Opened, { emit }: JobContext): void {
  const { name, title, paper, about } = entry
  const { data, picture, measured } = prepared
  const parts = measured.map((each) => ({ part: each.part, benchmark: benchmarkName(entry, each) }))
  const content = {
    kind: 'task',
    name,
    title,
    paper,
    about,
    base,
    data,
    parts,
    sizes,
    ...(picture && { picture }),
  } as const
  const row = { role: `task ${name}`, path: base, digest: '', bytes: 0, content }
  emit({ type: 'artifact', row })
}
