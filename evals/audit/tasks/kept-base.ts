/** @file The base of a task for work that needs it many times: trained once on this machine, kept in the user's cache. */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { JobContext } from '../../contract/job.ts'
import { cacheFolder } from '../../files/cache-folder.ts'
import { sha256 } from '../../files/digest.ts'
import { exists } from '../../files/read-file.ts'
import { openBase, type Base } from '../../measure/base.ts'
import type { PreparedBenchmark } from '../../measure/benchmark-sources.ts'
import type { TrainingData } from '../../measure/sources.ts'
import { chooseDevice } from '../../runtime/device.ts'
import type { TaskConfig } from './config.ts'
import { baseToTrain, benchmarkOf, opened } from './task-job.ts'
import type { PreparedTask, TaskEntry } from './task.ts'
import {
  ASKED_TOGETHER,
  askedOfBase,
  dataOfRows,
  drawn,
  trainedBase,
  type BaseToTrain,
} from './trained-base.ts'

interface OpenTask {
  readonly base: Base
  readonly benchmarks: readonly PreparedBenchmark[]
  /** What a fine-tune learns. */
  readonly data: TrainingData
}

/** @param numerics changes whenever the engine gives other numbers for the same input */
export async function openTask(config: TaskConfig, numerics: string): Promise<OpenTask> {
  const { entry, prepared } = await opened(config)
  const path = await keptBase(config, prepared, entry, numerics)
  const context = silent(path)
  const { armRows } = prepared.fromBase
    ? await askedOfBase(path, config, context, (ask, network) =>
        prepared.fromBase!(ask, network, undefined),
      )
    : prepared
  const device = chooseDevice(config.device, config.threads ?? undefined)
  return {
    base: await openBase(path, device, ASKED_TOGETHER),
    benchmarks: prepared.measured.map((part) => benchmarkOf(entry, part, prepared, config)),
    data: dataOfRows(`task:${entry.name}`, armRows),
  }
}

async function keptBase(
  config: TaskConfig,
  prepared: PreparedTask,
  entry: TaskEntry,
  numerics: string,
): Promise<string> {
  const work = baseToTrain(config, prepared, entry)
  const key = keyOf(work, numerics)
  const kept = join(cacheFolder(), 'tasks')
  const path = join(kept, key)
  if (await exists(join(path, 'config.json'))) return path
  const workspace = join(kept, `${key}-${randomUUID()}`)
  await mkdir(workspace, { recursive: true })
  try {
    const trained = await trainedBase(work, silent(workspace))
    // Another process may have been faster; its bits are the same.
    await rename(trained, path).catch((error: unknown) => {
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error
    })
  } finally {
    await rm(workspace, { recursive: true, force: true })
  }
  return path
}

/** sha256 over everything that the trained weights depend on. */
function keyOf(
  { model, rows, training, pretraining, config }: BaseToTrain,
  numerics: string,
): string {
  const first = pretraining && { training: pretraining.training, examples: pretraining.examples }
  const { baseSeed, threads } = config
  const start = drawn(model, baseSeed).map(({ name, data }) => [name, sha256(data)])
  const all = [model.config, start, rows, training, first ?? null, baseSeed, threads, numerics]
  return sha256(JSON.stringify(all))
}

const nothing = () => undefined
const silent = (workspace: string): JobContext => ({
  emit: nothing,
  seal: nothing,
  flush: nothing,
  signal: new AbortController().signal,
  workspace,
})
