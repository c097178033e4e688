/** @file The base of a task: a new model, trained in whole on the task's own rows and written as a Hugging Face folder. */
import { join } from 'node:path'
import { bind } from '../../finetune/method.ts'
import { full } from '../../finetune/methods/full.ts'
import { TrainingConfig } from '../../finetune/training/train.ts'
import { exists } from '../../files/read-file.ts'
import type { JobContext } from '../../contract/job.ts'
import { examplesDigest, runArm } from '../../arms/arm.ts'
import type { FinishedArm } from '../../arms/arm-plan.ts'
import { askOf, type Ask } from '../../measure/ask.ts'
import { identityOf, openBase } from '../../measure/base.ts'
import { classedExamples } from '../../measure/classes.ts'
import { openBaseSubject } from '../../measure/open-subject.ts'
import type { TrainingData } from '../../measure/sources.ts'
import { writeHfFolder } from '../../models/formats/write-hf-folder.ts'
import type { TensorToWrite } from '../../models/formats/safetensors-write.ts'
import { recognise } from '../../models/registry.ts'
import { chooseDevice } from '../../runtime/device.ts'
import { randomStream } from '../../statistics/random.ts'
import type { TaskConfig } from './config.ts'
import type { NewModel, TaskRow, TaskTraining } from './task.ts'

interface BaseToTrain {
  readonly model: NewModel
  readonly rows: readonly TaskRow[]
  readonly training: TaskTraining
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
  const path = join(context.workspace, 'base')
  if (await exists(join(path, 'config.json'))) return path
  const arm = await trained(work, context)
  await write(
    path,
    work.model,
    [...arm.parameters].map(([name, each]) => ({ name, ...each })),
  )
  return path
}

async function trained(work: BaseToTrain, context: JobContext): Promise<FinishedArm> {
  const { model, rows, training, config } = work
  const start = join(context.workspace, 'untrained')
  await write(start, model, drawn(model, config.baseSeed))
  const device = chooseDevice(config.device, config.threads ?? undefined)
  const base = await openBase(start, device, training.batchSize)
  try {
    const { examples } = classedExamples(base, dataOfRows('base', rows), Infinity)
    const plan = {
      arm: 'base',
      method: bind(full, { learningRateScale: 1 }),
      seed: config.baseSeed,
      training: TrainingConfig.parse(training),
      examples,
      dataDigest: examplesDigest(examples),
      evaluateAt: [training.steps],
      evaluation: undefined,
    }
    return await runArm(base, plan, withoutRows(context))
  } finally {
    await base.open.close()
  }
}

/** What the trained base makes, opened for it alone. */
export async function askedOfBase<T>(
  path: string,
  { device, threads }: Pick<TaskConfig, 'device' | 'threads'>,
  { signal }: JobContext,
  make: (ask: Ask) => Promise<T>,
): Promise<T> {
  const base = await openBase(path, chooseDevice(device, threads ?? undefined), ASKED_TOGETHER)
  const identity = identityOf(base, base.open, { arm: 'base', title: 'Teacher' })
  try {
    const { subject, release } = await openBaseSubject(base, identity)
    try {
      return await make(askOf(subject, signal))
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

function drawn({ config, draw }: NewModel, seed: number): TensorToWrite[] {
  const { weights } = recognise({ path: config.model_type, config, weights: new Map() }, 'make')
  return [...weights.values()].map((spec) => ({
    name: spec.name,
    shape: spec.shape,
    data: draw(spec, randomStream(seed, `begin:${spec.name}`)),
  }))
}

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
