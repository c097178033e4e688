/** @file The remedies that a configuration asks for, and what they need of it. */
import { askedRemedy } from '../arms/remedies/registry.ts'
import type { AskedRemedy } from '../arms/remedies/remedy.ts'
import { usageError } from '../errors/touchstone-error.ts'
import type { Model } from '../models/registry.ts'
import type { AuditConfig } from './config.ts'

type Asked = Pick<AuditConfig, 'remedy' | 'task' | 'taskGain' | 'sequential' | 'keepMended'>

/** Throws where what a remedy's settings name is not there or does not fit the model: known before anything is asked. */
export async function checkRemedies(config: Asked, model: Model): Promise<void> {
  for (const { check } of remediesIn(config)) await check(model)
}

/** Throws `usage.invalid` for one that cannot be chosen or judged in such a run. */
export function remediesIn({
  remedy,
  task,
  taskGain,
  sequential,
  keepMended,
}: Asked): AskedRemedy[] {
  if (remedy.length === 0) {
    if (!keepMended) return []
    throw usageError(
      '--keep-mended keeps what remedies make, and none is named.',
      'Add --remedy scale,mix, or leave --keep-mended out.',
    )
  }
  if (task === null || taskGain === null) {
    throw usageError(
      'A remedy needs to know what the fine-tune was for: without rows of its task, going back to the base would be the best one.',
      'Add --task FILE with held-out rows of the task, and leave --no-task-gain out.',
    )
  }
  if (sequential !== null) {
    throw usageError(
      'A remedy is chosen and judged on whole halves of the prompts, and --sequential may stop before.',
      'Leave --sequential or --remedy out.',
    )
  }
  const asked = remedy.map(askedRemedy)
  const twice = asked.find(({ name }, i) => asked.findIndex((each) => each.name === name) < i)
  if (twice) {
    throw usageError(
      `--remedy names ${twice.name} twice, and states are stored by remedy and value.`,
      'Name it once here, and again with: touchstone mitigate RUN --remedy …',
    )
  }
  return asked
}
