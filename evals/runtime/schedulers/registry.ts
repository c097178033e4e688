/** @file The schedulers by name. */
import { local } from './local.ts'
import type { Scheduler } from './scheduler.ts'
import { slurm } from './slurm.ts'

/** Where tasks are run; `options` are the scheduler's own words. */
interface Placement {
  readonly on: SchedulerName
  readonly partition: string | null
  readonly schedulerOptions: readonly string[]
}

const SCHEDULERS = {
  local: () => local,
  slurm: ({ partition, schedulerOptions }: Placement) => slurm({ partition, schedulerOptions }),
} as const satisfies Record<string, (placement: Placement) => Scheduler>

type SchedulerName = keyof typeof SCHEDULERS

export const SCHEDULER_NAMES = Object.keys(SCHEDULERS) as [SchedulerName, ...SchedulerName[]]

export const schedulerOf = (placement: Placement): Scheduler => SCHEDULERS[placement.on](placement)
