/** @file Steps of tasks: the folder that both sides read, and how ours learns from it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TaskConfig } from '../../../evals/audit/tasks/config.ts'
import { findTask, TASKS } from '../../../evals/audit/tasks/registry.ts'
import { opened } from '../../../evals/audit/tasks/task-job.ts'
import { dataOfRows, writeUntrained } from '../../../evals/audit/tasks/trained-base.ts'
import type { Example } from '../../../evals/finetune/training/dataset.ts'
import { openBase } from '../../../evals/measure/base.ts'
import { classedExamples } from '../../../evals/measure/classes.ts'
import { NUMBER_UNIT } from '../../../evals/models/text/number-tokenizer.ts'
import { chooseDevice } from '../../../evals/runtime/device.ts'

const PREFIX = 'task-'
export const TASK_WORKS = TASKS.map(({ name, title }) => ({ name: `${PREFIX}${name}`, title }))

const EXAMPLES = 'examples.json'

/** Weights before any training, and the rows of one batch of the base's: as they are for ours, as numbers for the peer. */
export async function writeTaskInputs(folder: string, work: string): Promise<void> {
  const entry = findTask(work.slice(PREFIX.length))
  const { batchSize } = entry.training.base
  const given = { task: entry.name, training: entry.training.arm, methods: [], baseSteps: 1 }
  const config = TaskConfig.parse({ ...given, device: 'cpu' })
  const { prepared } = await opened(config)
  await mkdir(folder, { recursive: true })
  await writeUntrained(folder, prepared.model, config.baseSeed)
  const base = await openBase(folder, chooseDevice('cpu', 1), batchSize)
  try {
    const rows = dataOfRows(entry.name, prepared.baseRows.slice(0, batchSize))
    const { examples } = classedExamples(base, rows, Infinity)
    await writeFile(join(folder, EXAMPLES), JSON.stringify(examples))
    const isOfTokens = base.open.tokenizer.vocabSize > 0
    const batch = {
      rows: examples.map(({ ids }) => (isOfTokens ? ids : ids.map((id) => id / NUMBER_UNIT))),
      labels: examples.map((row) => ('label' in row ? row.label : 0)),
      targets: examples.flatMap((row) => ('target' in row ? [row.target] : [])),
    }
    await writeFile(join(folder, 'batch.json'), JSON.stringify(batch))
  } finally {
    await base.open.close()
  }
}

export const taskExamples = async (folder: string): Promise<Example[]> =>
  JSON.parse(await readFile(join(folder, EXAMPLES), 'utf8')) as Example[]
