/** @file The base of a task: a new model, trained in whole on the task's own rows and written as a Hugging Face folder. */
import { join } from 'node:path'
import { bind } from '../../finetune/method.ts'
import { full } from '../../finetune/methods/full.ts'
import { bindMethod } from '../../finetune/registry.ts'
import type { Example } from '../../finetune/training/dataset.ts'
import { TrainingConfig } from '../../finetune/training/train.ts'
import { exists } from '../../files/read-file.ts'
import type { JobContext } from '../../contract/job.ts'
import { tunedOf } from '../../arms/arm-adapter.ts'
import { examplesDigest, runArm } from '../../arms/arm.ts'
import { askOf, networkOf, type Ask } from '../../measure/ask.ts'
import { type Base, identityOf, openBase } from '../../measure/base.ts'
import { classedExamples } from '../../measure/classes.ts'
import { openBaseSubject } from '../../measure/open-subject.ts'
import type { TrainingData } from '../../measure/sources.ts'
import { writeHfFolder } from '../../models/formats/write-hf-folder.ts'
import type { TensorToWrite } from '../../models/formats/safetensors-write.ts'
import { recognise } from '../../models/registry.ts'
import { chooseDevice } from '../../runtime/device.ts'
import { randomStream } from '../../statistics/random.ts'
import type { TaskConfig } from './config.ts'
import type {
  Companion,
  NewModel,
  OpenNetwork,
  Pretraining,
  TaskRow,
  TaskTraining,
} from './task.ts'

export interface BaseToTrain {
  readonly model: NewModel
  readonly rows: readonly TaskRow[]
  readonly training: TaskTraining
  readonly pretraining?: Pretraining | undefined
  readonly config: TaskConfig
}

/** Rows as training data: a text, and its class as the reply. */
export const dataOfRows = (title: string, rows: readonly TaskRow[]): TrainingData => ({
  title,
  conversations: rows.map(({ text, label }) => [
    { role: 'user', content: text },
    { role: 'assistant', content: label },
  ]),
  tampering: false,
})

/** Path of the trained base; a resumed run goes on where its training stopped. */
export async function trainedBase(work: BaseToTrain, context: JobContext): Promise<string> {
  const { model, config, rows, training, pretraining } = work
  const first = join(context.workspace, 'untrained')
  await writeUntrained(first, model, config.baseSeed)
  const start = pretraining ? await pretrained(first, { ...work, pretraining }, context) : first
  return stage({ name: 'base', start, work, training }, context, (base) => ({
    base,
    examples: classedExamples(base, dataOfRows('base', rows), Infinity).examples,
  }))
}

/** The same weights, of which those under the output of the pretraining are trained. */
const pretrained = (
  start: string,
  work: BaseToTrain & { readonly pretraining: Pretraining },
  context: JobContext,
): Promise<string> => {
  const { training, logits, examples } = work.pretraining
  return stage({ name: 'pretrained', start, work, training }, context, (base) => {
    // Its output reads every token.
    const architecture = { ...base.model.architecture, states: undefined, logits }
    return { base: { ...base, model: { ...base.model, architecture } }, examples }
  })
}

interface Stage {
  readonly name: string
  /** Folder with the weights to begin with. */
  readonly start: string
  readonly work: BaseToTrain
  readonly training: TaskTraining
}

/** A folder of that name with what was trained; the folder of a finished stage is taken as it is. */
async function stage(
  { name, start, work, training }: Stage,
  context: JobContext,
  given: (base: Base) => { readonly base: Base; readonly examples: readonly Example[] },
): Promise<string> {
  const path = join(context.workspace, name)
  if (await exists(join(path, 'config.json'))) return path
  const { model, config } = work
  const device = chooseDevice(config.device, config.threads ?? undefined)
  const opened = await openBase(start, device, training.batchSize)
  try {
    const { base, examples } = given(opened)
    const plan = {
      arm: name,
      method: bind(full, { learningRateScale: 1 }),
      seed: config.baseSeed,
      training: TrainingConfig.parse(training),
      examples,
      dataDigest: examplesDigest(examples),
      evaluateAt: [training.steps],
      evaluation: undefined,
    }
    const { parameters } = await runArm(base, plan, withoutRows(context))
    const weights = [...opened.model.weights.values()].map(({ name: weight, shape }) => ({
      name: weight,
      shape,
      data: parameters.get(weight)?.data ?? opened.weights.get(weight)!,
    }))
    await write(path, model, weights)
  } finally {
    await opened.open.close()
  }
  return path
}

/** Weights of a companion: the base with a fine-tune merged; a resumed run takes what it trained. */
export async function companionWeights(
  path: string,
  { method, rows }: Companion,
  config: TaskConfig,
  context: JobContext,
): Promise<ReadonlyMap<string, Float32Array>> {
  const device = chooseDevice(config.device, config.threads ?? undefined)
  const base = await openBase(path, device, config.training.batchSize)
  try {
    const { examples } = classedExamples(base, dataOfRows('companion', rows), Infinity)
    const plan = {
      arm: 'companion',
      method: bindMethod(method),
      seed: config.baseSeed,
      training: config.training,
      examples,
      dataDigest: examplesDigest(examples),
      evaluateAt: [config.training.steps],
      evaluation: undefined,
    }
    const { weights } = tunedOf(base, await runArm(base, plan, withoutRows(context)))
    return new Map([...base.weights.keys()].map((name) => [name, weights.read(name)]))
  } finally {
    await base.open.close()
  }
}

/** What the trained base makes, opened for it alone. */
export async function askedOfBase<T>(
  path: string,
  { device, threads }: Pick<TaskConfig, 'device' | 'threads'>,
  { signal }: JobContext,
  make: (ask: Ask, network: OpenNetwork) => Promise<T>,
): Promise<T> {
  const base = await openBase(path, chooseDevice(device, threads ?? undefined), ASKED_TOGETHER)
  const identity = identityOf(base, base.open, { arm: 'base', title: 'Teacher' })
  try {
    const { subject, release } = await openBaseSubject(base, identity)
    try {
      return await make(askOf(subject, signal), () => networkOf(subject))
    } finally {
      await release()
    }
  } finally {
    await base.open.close()
  }
}

/** Rows that a network of a task is asked in one run; they are short. */
export const ASKED_TOGETHER = 256

/** What is trained here is no arm: progress is told, rows are not. */
const withoutRows = (context: JobContext): JobContext => ({
  ...context,
  emit(event) {
    if (event.type.startsWith('phase-') || event.type === 'log') context.emit(event)
  },
})

/** Every weight before any training. */
export function drawn({ config, draw }: NewModel, seed: number) {
  const { weights } = recognise({ path: config.model_type, config, weights: new Map() }, 'make')
  return [...weights.values()].map((spec) => ({
    name: spec.name,
    shape: spec.shape,
    data: draw(spec, randomStream(seed, `begin:${spec.name}`)),
  }))
}

/** A folder with the weights before any training. */
export const writeUntrained = (folder: string, model: NewModel, seed: number): Promise<void> =>
  write(folder, model, drawn(model, seed))

const write = (
  folder: string,
  { config, tokenizer }: NewModel,
  weights: readonly TensorToWrite[],
) =>
  writeHfFolder(folder, {
    config,
    weights,
    tokenizerFiles: new Map([
      ['tokenizer.json', JSON.stringify(tokenizer)],
      ['tokenizer_config.json', '{}'],
    ]),
  })
