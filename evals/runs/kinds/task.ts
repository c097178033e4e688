/** @file `touchstone task`: the same audit for small models that are no language models. */
import { anyJobKind } from '../../contract/job.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { TaskConfig } from '../../audit/tasks/config.ts'
import { armsOf } from '../../audit/tasks/arms.ts'
import { findTask, taskLines, TASKS } from '../../audit/tasks/registry.ts'
import { full } from '../../finetune/methods/full.ts'
import { lora } from '../../finetune/methods/lora.ts'
import { saidOf } from '../options/arguments.ts'
import type { JobVerb } from './job-verb.ts'
import { firstWordAs } from './positionals.ts'

export const taskVerb: JobVerb = {
  remark:
    'A minimal re-implementation on small data, trained here: not the paper’s numbers.\nMethods of low rank run once for each of --ranks. An interrupted task goes on with --resume.',
  examples: [
    'touchstone task --list',
    'touchstone task location',
    'touchstone task location --base grid/residual --methods lora,dora --ranks 2,8 --seeds 0,1,2',
  ],
  positionals: { shown: 'NAME', inOptions: firstWordAs('task', 'touchstone task NAME') },
  schema: TaskConfig,
  kind: async () => anyJobKind((await import('../../audit/tasks/task-job.ts')).taskJob),
  writesReports: true,
  presetNamed(argv) {
    const isTask = (word: string) => TASKS.some(({ name }) => name === word)
    const name = saidOf(argv, 'task').at(-1) ?? argv.find(isTask)
    return name === undefined ? undefined : presetOf(name)
  },
  list: taskLines,
  check(config) {
    if (armsOf(config as TaskConfig).length > 0) return
    throw usageError('No method was named.', 'Add --methods full,lora.')
  },
}

/** How a task's arms are trained, and by which methods, where nothing else is said. */
function presetOf(name: string) {
  const training = findTask(name).training.arm
  const methods = [full, lora].map((method) => ({ name: method.name, config: {} }))
  return { methods, training, evalEvery: training.steps }
}

/** Every task as the window offers it. */
export const TASK_PRESETS = TASKS.map(({ name, title }) => ({
  name: `task-${name}`,
  title,
  kind: 'task' as const,
  config: { task: name, ...presetOf(name) },
}))
