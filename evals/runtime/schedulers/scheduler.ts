/** @file What a scheduler is: it runs tasks that leave result files, on this machine or on others that share its folders. */

import type { TaskSize } from '../jobs-estimate.ts'

/** A task whose process died is run once more, because the kernel may have killed it for memory that another process took. */
export const ATTEMPTS = 2

/** What a process is told of a task; the rest it finds by its argument. */
export interface Task {
  readonly position: number
}

export interface TaskRuns<T extends Task> {
  /** A module that calls `serveTasks`. */
  readonly script: string
  /** The path of a file that every process can read; a scheduler keeps its own files beside it. */
  readonly argument: string
  readonly tasks: readonly T[]
  /** Tasks run at a time. */
  readonly jobs: number
  /** Cores that each task uses. */
  readonly threads: number
  readonly signal: AbortSignal
  /** Whether the result file of a task is in place. */
  readonly isSettled: (task: T) => Promise<boolean>
  /** Called after the result file of a task is in place. */
  readonly onSettled: (task: T) => Promise<void>
  /** Called for a task whose process died twice. @param how the signal, exit code or state @param said the end of its error stream */
  readonly onDied: (task: T, how: string, said: string) => Promise<void>
  /** Called with what a person waits for, where a scheduler can tell. */
  readonly onWaiting?: (message: string) => void
}

export interface Scheduler {
  /** How many tasks of a size run at a time where the user gives no number. */
  jobsFor(size: TaskSize): number
  /** Whether tasks go on when the process that asked for them has been killed. */
  readonly outlivesCaller: boolean
  /** Resolves when every task is settled or has failed. Rejects with the signal's reason or the first error of a callback. */
  run<T extends Task>(runs: TaskRuns<T>): Promise<void>
}
