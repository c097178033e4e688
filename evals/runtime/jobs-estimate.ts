/** @file How many worker processes run at a time: limited by cores over threads of a task, and by free memory over memory of a task. */
import { availableParallelism } from 'node:os'

const MEMORY_SHARE = 0.7

export interface TaskSize {
  /** Peak memory of one task, bytes. */
  readonly bytes: number
  readonly threads: number
}

interface Machine {
  readonly cores: number
  readonly freeBytes: number
}

export const thisMachine = (): Machine => ({
  cores: availableParallelism(),
  freeBytes: process.availableMemory(),
})

/** At least one; a machine that is too small fails when memory runs out. */
export function jobsFor(size: TaskSize, { cores, freeBytes }: Machine): number {
  const fitting = (MEMORY_SHARE * freeBytes) / size.bytes
  return Math.max(1, Math.floor(Math.min(cores / size.threads, fitting)))
}
