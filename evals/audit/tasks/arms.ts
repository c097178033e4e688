/** @file The arms of a task: its methods, those of low rank once for each rank. */
import { usageError } from '../../errors/touchstone-error.ts'
import { armNameOf, type MethodChoice } from '../../finetune/method-choice.ts'
import { findMethod } from '../../finetune/registry.ts'
import type { TaskConfig } from './config.ts'
import { findTask } from './registry.ts'

/** Methods of low rank once for each of the ranks; throws for a method that the task cannot take. */
export function armsOf({ task, methods, ranks }: TaskConfig): MethodChoice[] {
  const { unfit = {}, title } = findTask(task)
  return methods.flatMap((given): MethodChoice[] => {
    const method = findMethod(given.name)
    const why = unfit[given.name]
    if (why !== undefined)
      throw usageError(`${method.title} does not fit ${title}: ${why}`, 'Leave it out.')
    const config = method.config.parse(given.config) as Record<string, unknown>
    if (!('rank' in config) || ranks.length === 0) return [{ ...given, config }]
    return ranks.map((rank) => ({
      ...given,
      arm: `${armNameOf(given)}-r${rank}`,
      config: { ...config, rank, alpha: 2 * rank },
    }))
  })
}
