/** @file The file that says what a generator of adapters learns from: tasks, each with prompts and its adapters. */
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { malformed, readJson } from '../../files/read-file.ts'
import { BUNDLED_DATA } from '../sources.ts'

const text = z.string().min(1)
const whole = (min: number, max: number, usual: number, help: string) =>
  z.int().min(min).max(max).default(usual).meta({ help })

/** How a generator is trained and asked. */
export const GENERATOR = {
  prompts: whole(1, 1000, 16, 'Prompts of each task that its vector is the mean of'),
  steps: whole(1, 100_000, 300, 'Steps of training the generator'),
  batchSize: whole(2, 256, 8, 'Adapters in a step'),
  learningRate: z.number().gt(0).max(1).default(1e-3).meta({ help: 'AdamW’s rate, constant' }),
  latent: whole(1, 4096, 64, 'Numbers of the Gaussian between encoder and decoder'),
  condition: whole(1, 4096, 512, 'Numbers that a task vector is mapped to'),
  seed: whole(0, 2 ** 31 - 1, 0, 'Seed of the start, the noise and the draw'),
}

const Settings = z.strictObject(GENERATOR)
export type GenerationSettings = z.infer<typeof Settings>

const Tasks = z.strictObject({
  tasks: z
    .array(z.strictObject({ name: text, prompts: text, adapters: z.array(text).min(1) }))
    .min(1),
  settings: Settings.optional(),
})

export interface SourceTask {
  readonly name: string
  /** Data whose prompts stand for the task. */
  readonly prompts: string
  readonly adapters: readonly string[]
}

interface SourceTasks {
  readonly tasks: readonly SourceTask[]
  /** Absent where the file names none. */
  readonly settings?: GenerationSettings | undefined
}

/** Paths are taken from the file's own folder. */
export async function tasksIn(path: string): Promise<SourceTasks> {
  const found = Tasks.safeParse(await readJson(path))
  if (!found.success)
    throw malformed(
      path,
      z.prettifyError(found.error),
      'tasks, each with a name, prompts and adapters',
    )
  const here = (name: string) => resolve(dirname(path), name)
  const isBundled = (name: string) => (BUNDLED_DATA as readonly string[]).includes(name)
  const { tasks, settings } = found.data
  return {
    settings,
    tasks: tasks.map(({ name, prompts, adapters }) => ({
      name,
      prompts: isBundled(prompts) ? prompts : here(prompts),
      adapters: adapters.map(here),
    })),
  }
}

/** Every setting at its default. */
export const USUAL_GENERATOR = Settings.parse({})
